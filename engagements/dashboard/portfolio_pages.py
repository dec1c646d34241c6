"""Pages across engagements: the portfolio, my work; and of one engagement its home, its timeline, its client's view."""

from typing import Annotated, Final

from litestar import Controller, Response
from litestar.params import FromPath, QueryParameter

from engagements.core.roles import Permission
from engagements.dashboard.day import day_of
from engagements.dashboard.home import home_of
from engagements.dashboard.portfolio import ROWS, portfolio
from engagements.dashboard.portfolio_list import portfolio_csv
from engagements.dashboard.portfolio_query import Chosen
from engagements.dashboard.records import colleagues
from engagements.dashboard.standing import as_client, standing_for, standings
from engagements.dashboard.timeline import recent_events, timeline_of
from engagements.dashboard.views import address, numbered_pages, portfolio_tabs
from engagements.dashboard.work import work_of
from engagements.web.call import Call
from engagements.web.pages import page
from engagements.web.routes import get

Word = Annotated[str, QueryParameter(max_length=200)]
PageNumber = Annotated[int, QueryParameter(name="page", ge=1, le=100_000)]
_CSV: Final = "text/csv; charset=utf-8"


class PortfolioPages(Controller):
    path = "/"
    include_in_schema = False

    @get(permission=Permission.VIEW_ENGAGEMENTS)
    def show_portfolio(
        self, call: Call, view: Word = "", search: Word = "", owner: Word = "", number: PageNumber = 1
    ) -> Response[str]:
        """The agency's portfolio; a client's people get the standing of their own engagements."""
        if not call.actor.is_staff:
            found = call.read(lambda s: standings(s, call.actor, today=day_of(s, call)))
            return page(call, "pages/engagements/standing.html", standings=found, one=None, events=())
        chosen = Chosen(view=view, search=search.strip(), owner=owner, page=number)
        listed = call.read(lambda s: portfolio(s, call.actor, chosen, now=call.now, today=day_of(s, call)))
        filters = {"view": view, "search": chosen.search, "owner": owner}
        return page(
            call, "pages/portfolio/portfolio.html", portfolio=listed, chosen=chosen,
            pages=numbered_pages("/", filters, page=number, size=ROWS, total=listed.total),
            views=portfolio_tabs(listed.counts, view=view, search=chosen.search, owner=owner),
            owners=call.read(lambda s: colleagues(s, call.actor)), export=address("/portfolio.csv", filters),
        )  # fmt: skip

    @get("/portfolio.csv", permission=Permission.VIEW_ACTUALS)
    def export_portfolio(self, call: Call, view: Word = "", search: Word = "", owner: Word = "") -> Response[str]:
        chosen = Chosen(view=view, search=search.strip(), owner=owner)
        text = call.read(lambda s: portfolio_csv(s, call.actor, chosen, now=call.now, today=day_of(s, call)))
        named = {"Content-Disposition": 'attachment; filename="portfolio.csv"', "Cache-Control": "no-store"}
        return Response(text, media_type=_CSV, headers=named)

    @get("/work", permission=Permission.SIGNED_IN)
    def show_work(self, call: Call) -> Response[str]:
        items = call.read(lambda s: work_of(s, call.actor, today=day_of(s, call)))
        return page(call, "pages/portfolio/my_work.html", items=items)


class HomePages(Controller):
    path = "/engagements/{engagement_id:str}"
    include_in_schema = False

    @get(permission=Permission.VIEW_ENGAGEMENTS)
    def show_engagement(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        if not call.actor.is_staff:
            return _standing(call, engagement_id)
        home = call.read(lambda s: home_of(s, call.actor, engagement_id, now=call.now, today=day_of(s, call)))
        return page(call, "pages/engagements/engagement.html", home=home)

    @get("/as-client", permission=Permission.VIEW_ACTUALS)
    def show_as_client(self, engagement_id: FromPath[str], call: Call) -> Response[str]:
        """What the client's people see, for the agency's: read from the same functions, nothing can be done here."""
        return _standing(call, engagement_id)

    @get("/timeline", permission=Permission.VIEW_ENGAGEMENTS)
    def show_timeline(
        self, engagement_id: FromPath[str], call: Call, kind: Word = "",
        before: Annotated[int | None, QueryParameter(ge=1, le=2**63 - 1)] = None,
    ) -> Response[str]:  # fmt: skip
        found = call.read(lambda s: timeline_of(s, call.actor, engagement_id, kind=kind, before=before))
        return page(call, "pages/engagements/timeline.html", timeline=found)


def _standing(call: Call, engagement_id: str) -> Response[str]:
    found = call.read(lambda s: standing_for(s, call.actor, engagement_id, today=day_of(s, call)))
    events = call.read(lambda s: recent_events(s, as_client(s, call.actor, engagement_id), engagement_id))
    return page(call, "pages/engagements/standing.html", standings=[found], one=found, events=events)


PAGES = (PortfolioPages, HomePages)

"""The portfolio, one's own work, and how an engagement stands for its client, over /api/v1."""

from typing import Annotated

from litestar import Controller, Response
from litestar.params import FromPath, QueryParameter
from sqlmodel import Session

from engagements.core.models import EngagementState
from engagements.core.roles import Permission
from engagements.core.schemas import Page
from engagements.dashboard.day import day_of
from engagements.dashboard.portfolio_list import Wanted, portfolio_page
from engagements.dashboard.schemas import PortfolioLineOut, StandingOut, WorkItemOut
from engagements.dashboard.standing import standing_for
from engagements.dashboard.work import work_of
from engagements.delivery.health import Health
from engagements.web.call import Call
from engagements.web.paging import LIMIT, Cursor, Limit
from engagements.web.routes import get

Search = Annotated[str, QueryParameter(max_length=200, description="Part of the name of an engagement or client.")]


class PortfolioOverApi(Controller):
    path = "/api/v1/portfolio"
    tags = ("Portfolio",)

    @get(permission=Permission.VIEW_ACTUALS, summary="Every engagement with its health, next gate and budget")
    def list_portfolio(
        self,
        call: Call,
        limit: Limit = LIMIT,
        cursor: Cursor = None,
        health: Annotated[Health | None, QueryParameter()] = None,
        in_state: Annotated[EngagementState | None, QueryParameter(name="state")] = None,
        owner: Annotated[str, QueryParameter(max_length=40, description="Id of a person.")] = "",
        search: Search = "",
    ) -> Page[PortfolioLineOut]:
        """Newest first."""
        wanted = Wanted(health=health, in_state=in_state, owner=owner, search=search.strip())

        def listed(session: Session) -> Page[PortfolioLineOut]:
            today = day_of(session, call)
            return portfolio_page(session, call.actor, wanted, limit=limit, cursor=cursor, now=call.now, today=today)

        return call.read(listed)


class Work(Controller):
    path = "/api/v1/me/work"
    tags = ("Me",)

    @get(permission=Permission.SIGNED_IN, summary="What waits for me")
    def list_work(self, call: Call) -> Page[WorkItemOut]:
        """What is overdue first, then by day; all of it at once."""
        items = call.read(lambda s: work_of(s, call.actor, today=day_of(s, call)))
        return Page(items=[WorkItemOut.of(item) for item in items])


class Standings(Controller):
    path = "/api/v1/engagements/{engagement_id:str}/standing"
    tags = ("Engagements",)

    @get(permission=Permission.VIEW_DELIVERY, summary="How it stands, as the client is told")
    def show_standing(self, engagement_id: FromPath[str], call: Call) -> Response[StandingOut]:
        """The agency's people are told what the client's approver would be."""
        return call.show(lambda s: StandingOut.told(standing_for(s, call.actor, engagement_id, today=day_of(s, call))))


ROUTES = (PortfolioOverApi, Work, Standings)

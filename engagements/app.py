"""`create_app`: routes, error translation, dependencies, lifespan."""

from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, Final

from litestar import Litestar, Request
from litestar.concurrency import get_asyncio_executor, set_asyncio_executor
from litestar.connection import ASGIConnection
from litestar.datastructures import CacheControlHeader, State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.handlers.base import BaseRouteHandler
from litestar.middleware import DefineMiddleware
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.plugins.pydantic import PydanticPlugin
from litestar.router import Router
from litestar.static_files import create_static_files_router
from litestar.types import ControllerRouterHandler

from engagements import __version__
from engagements.actuals import api as actuals_api
from engagements.actuals import pages as actuals_pages
from engagements.changes import api as changes_api
from engagements.changes import pages as changes_pages
from engagements.dashboard import api as dashboard_api
from engagements.dashboard import calendar_pages, portfolio_api, portfolio_pages
from engagements.dashboard import pages as dashboard_pages
from engagements.dashboard import people_pages as access_pages
from engagements.dashboard.theme import theme
from engagements.delivery import api as delivery_api
from engagements.delivery import pages as delivery_pages
from engagements.notices import api as notices_api
from engagements.notices import pages as notices_pages
from engagements.people import api as people_api
from engagements.people import pages as people_pages
from engagements.phases import api as phases_api
from engagements.phases import pages as phases_pages
from engagements.phases.data_preparation import api as data_api
from engagements.phases.data_preparation import pages as data_pages
from engagements.phases.training import api as training_api
from engagements.phases.training.showing import pages as training_pages
from engagements.proposals import api as proposals_api
from engagements.proposals import pages as proposals_pages
from engagements.proposals import portal_api, proposal_api
from engagements.rendering import TEMPLATES
from engagements.reports import api as reports_api
from engagements.reports import pages as reports_pages
from engagements.settings import Settings, read_settings
from engagements.status import api as status_api
from engagements.web.auth import SignIn, require_declared
from engagements.web.call import CallOfRequest
from engagements.web.gate import Gate
from engagements.web.openapi import describe_common
from engagements.web.problem import answer
from engagements.web.query import note_parameters, refuse_unknown
from engagements.web.routes import PUBLIC
from engagements.webhooks import api as webhooks_api
from engagements.wiring import Wiring, wire

THREADS: Final = 40
"""Handlers run in threads; with the default of six, seven writers that wait would stop the server."""

ROUTES: Final[Sequence[ControllerRouterHandler]] = (
    dashboard_api.Clients,
    dashboard_api.Contacts,
    dashboard_api.Engagements,
    dashboard_api.Audit,
    *portfolio_api.ROUTES,
    *portfolio_pages.PAGES,
    *calendar_pages.PAGES,
    *dashboard_pages.PAGES,
    *access_pages.PAGES,
    theme,
    proposals_api.Briefs,
    proposals_api.Estimates,
    proposal_api.EngagementProposals,
    proposal_api.Proposals,
    proposal_api.SentProposals,
    proposal_api.Links,
    portal_api.Portal,
    portal_api.Verification,
    *proposals_pages.ROUTES,
    people_api.Me,
    people_api.Users,
    people_api.Keys,
    people_api.Invitations,
    *people_pages.ROUTES,
    webhooks_api.EventTypes,
    webhooks_api.Webhooks,
    *delivery_api.ROUTES,
    *delivery_pages.ROUTES,
    *phases_api.ROUTES,
    *phases_pages.ROUTES,
    *data_api.ROUTES,
    *training_api.ROUTES,
    *data_pages.ROUTES,
    *training_pages.ROUTES,
    *actuals_api.ROUTES,
    *actuals_pages.ROUTES,
    *changes_api.ROUTES,
    *changes_pages.ROUTES,
    *reports_api.ROUTES,
    *reports_pages.ROUTES,
    *notices_api.ROUTES,
    *notices_pages.ROUTES,
    *status_api.HANDLERS,
)


def create_app(settings: Settings | None = None, *, wiring: Wiring | None = None) -> Litestar:
    """The application over a database that is there. Raises `SettingsInvalid`."""
    return connected(build_routes(), wiring or wire(settings or read_settings()))


def build_routes() -> Litestar:
    """Every route, checked and described: a second's work that is the same whatever they are `connected` to."""
    if get_asyncio_executor() is None:
        set_asyncio_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="sixfold"))
    strict: Any = PydanticPlugin(validate_strict=None)  # type: ignore[arg-type]  # its default, False, undoes strict types
    app = Litestar(
        [*ROUTES, *_static()],
        dependencies={"call": Provide(_call, sync_to_thread=False)},
        exception_handlers={Exception: answer, HTTPException: answer},
        guards=[_admit],
        lifespan=[_lifespan],
        logging_config=None,
        middleware=[DefineMiddleware(SignIn, exclude=["^/static/"])],
        openapi_config=_openapi(),
        plugins=[strict],
    )
    _refuse_undeclared(app)
    note_parameters(app)
    describe_common(app)
    return app


def connected(app: Litestar, parts: Wiring) -> Litestar:
    """The same routes over these parts and no others; what served before is not served any more."""
    app.state = State({"wiring": parts, "identities": parts.identities})
    app.asgi_handler = Gate(
        app=app.asgi_handler.app if isinstance(app.asgi_handler, Gate) else app.asgi_handler,
        hosts=_hosts(parts.settings),
        metrics=parts.metrics,
        proxies=frozenset(parts.settings.trusted_proxies),
        is_https=parts.settings.base_url.startswith("https://"),
    )
    return app


async def _admit(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """The one guard: Litestar copies the handler for each, and runs those that are not async in a thread."""
    require_declared(connection, handler)
    refuse_unknown(connection, handler)


def _call(request: Request[Any, Any, Any]) -> CallOfRequest:
    parts: Wiring = request.app.state.wiring
    return CallOfRequest(store=parts.store, clock=parts.clock, request=request, in_flight=parts.in_flight)


@asynccontextmanager
async def _lifespan(app: Litestar) -> AsyncIterator[None]:
    parts: Wiring = app.state.wiring
    parts.courier.start()
    parts.sweeper.start()
    parts.watcher.start()
    parts.postman.start()
    parts.workshop.start()
    parts.supervisor.start()
    yield
    parts.close()


def _static() -> tuple[Router, Router]:
    """Ours, whose addresses carry their digest and may be kept for good; and the fonts that documents have too."""
    kept = CacheControlHeader(max_age=31_536_000, public=True, immutable=True)
    folders = {"/static": TEMPLATES / "static", "/static/fonts": TEMPLATES / "documents" / "fonts"}
    ours, fonts = (
        create_static_files_router(
            path=path, name=path, directories=[folder], opt={"permission": PUBLIC}, include_in_schema=False,
            cache_control=kept,
        )
        for path, folder in folders.items()
    )  # fmt: skip
    return ours, fonts


def _openapi() -> OpenAPIConfig:
    key = SecurityScheme(type="apiKey", name="X-API-Key", security_scheme_in="header")
    return OpenAPIConfig(
        title="Sixfold",
        version=__version__,
        description="Engagements from the first brief to the twelfth retraining.",
        components=Components(security_schemes={"key": key}),
        security=[{"key": []}],
        path="/api/v1",
        render_plugins=[JsonRenderPlugin(path="/openapi.json")],
    )


def _hosts(settings: Settings) -> frozenset[str]:
    own = settings.base_url.split("://", 1)[1].rsplit(":", 1)[0].split("/")[0].lower()
    return frozenset({own, "localhost", "127.0.0.1", *(host.lower() for host in settings.allowed_hosts)})


def _refuse_undeclared(app: Litestar) -> None:
    """Every route of ours says whose it is; what Litestar adds (OPTIONS, the schema) is for everybody."""
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            made_by = getattr(handler.fn, "func", handler.fn).__module__  # a synchronous handler stands in a wrapper
            if handler.http_methods == {"OPTIONS"} or made_by.startswith("litestar."):
                handler.opt.setdefault("permission", PUBLIC)
            assert "permission" in handler.opt, f"{route.path} does not say whose it is"

"""Pages, forms and redirects. A page is a template with everything formatted; a form posts and is redirected.

return page(call, "pages/clients/client.html", client=client)
return submit(
    call, ClientIn, lambda s, data: service.create_client(s, call.actor, data, at=call.now).id,
    then=lambda made: go(f"/clients/{made}", said="Client added"),
    show=lambda form, status: page(call, "pages/clients/client_form.html", form=form, status=status),
)
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, quote

from litestar import Request, Response
from litestar.response import Redirect
from pydantic import BaseModel, ValidationError
from sqlmodel import Session

from engagements.core.errors import (
    CannotGrant,
    Conflict,
    EngagementError,
    Invalid,
    SecondPersonRequired,
    VersionMismatch,
)
from engagements.core.roles import Actor
from engagements.web.call import Call
from engagements.web.problem import problem_of
from engagements.web.templates import EMPTY_FORM, FLASH_COOKIE, Form, render

Model = TypeVar("Model", bound=BaseModel)
Made = TypeVar("Made")
_TO_MEND: Final = (Invalid, Conflict, VersionMismatch, CannotGrant, SecondPersonRequired)
"""What somebody can put right in the form before them; every other error has a page of its own."""
_SAID_FOR_S: Final = 60


def page(call: Call, template: str, *, status: int = 200, form: Form = EMPTY_FORM, **context: object) -> Response[str]:
    """A page for whoever asks; what every template has is listed in `web.templates`."""
    text = render(call.request, template, form=form, unread=lambda: _unread(call), **context)
    answer = Response(text, status_code=status, media_type="text/html; charset=utf-8")
    if FLASH_COOKIE in call.request.cookies:
        answer.delete_cookie(FLASH_COOKIE)
    return answer


def _unread(call: Call) -> int:
    """How many notices wait for whoever is signed in, for the frame of the page."""
    actor = call.request.scope.get("user")
    waiting: int = call.request.app.state.wiring.bell.unread(actor) if isinstance(actor, Actor) else 0
    return waiting


def submit(
    call: Call,
    model: type[Model],
    effect: Callable[[Session, Model], Made],
    *,
    then: Callable[[Made], Response[Any]],
    show: Callable[[Form, int], Response[Any]],
) -> Response[Any]:
    """A posted form: read, done in one transaction, then on to another page; or the form again with what is wrong."""
    values = typed(call.request)
    try:
        data = read_form(model, {name: value for name, value in values.items() if name != "version"})
        made = call.write(lambda session: effect(session, data))
    except _TO_MEND as error:
        return show(again(values, error), error.status)
    return then(made)


def version_typed(call: Call) -> int:
    """The version that a form edits, from its hidden field. Raises `VersionMismatch`."""
    given = typed(call.request).get("version", "")
    if not given.isascii() or not given.isdigit() or len(given) > 18:
        raise VersionMismatch("the form does not say which version it edits", remedy="load the page again")
    return int(given)


def is_fragment(request: Request[Any, Any, Any]) -> bool:
    """Whether htmx asks for a part of a page."""
    return request.headers.get("hx-request") == "true"


def typed(request: Request[Any, Any, Any]) -> dict[str, str]:
    """The fields of a posted form, without the CSRF token; of a field twice, the last. Lines end with one character."""
    body: bytes = request.scope["state"].get("body", b"")
    fields = parse_qsl(body.decode("utf-8", errors="replace"), keep_blank_values=True)
    return {name: value.replace("\r\n", "\n") for name, value in fields if name != "_csrf"}


def read_form(model: type[Model], values: Mapping[str, object]) -> Model:
    """Raises `Invalid` with every fault, placed by field."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise Invalid.of(*map(problem_of, error.errors(include_url=False))) from error


def again(values: Mapping[str, str], error: EngagementError) -> Form:
    """The form as it was typed, with what is wrong beside each field."""
    faults = {problem.where: problem for problem in error.problems}
    return Form(values=values, faults=faults, fault="" if faults else _sentences(error))


def _sentences(error: EngagementError) -> str:
    return " ".join(text[:1].upper() + text[1:] + "." for text in (error.message, error.remedy) if text)


def go(path: str, *, said: str = "") -> Redirect:
    """To another page after a change, so that reloading does not repeat it; `said` is shown there once."""
    answer = Redirect(path, status_code=303)
    if said:
        answer.set_cookie(FLASH_COOKIE, quote(said), max_age=_SAID_FOR_S, httponly=True, samesite="lax")
    return answer

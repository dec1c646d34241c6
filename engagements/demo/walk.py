"""The same engagement through the API with the typed client: to the signed proposal, and on to the third gate."""

import json
import tomllib
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from engagements.cli.output import console
from engagements.client import Conflict, Forbidden, Sixfold
from engagements.client.models import Engagement, Estimate, NewLink, Sent
from engagements.core.audit import verify
from engagements.demo.delivery import deliver
from engagements.demo.generating import ENDPOINT
from engagements.demo.house import LEAD, REVIEWER, House, found, open_doors, welcome
from engagements.demo.model.process import ModelServer, is_there, serving_model
from engagements.demo.model.weights import folder_of, laid_down
from engagements.demo.routed import route
from engagements.demo.server import Running, serving
from engagements.demo.story import Story
from engagements.demo.training import BACKEND, backend
from engagements.demo.words import minor, money, note, title
from engagements.files import write_together
from engagements.settings import ModelEndpoint, Settings, read_settings
from engagements.tables import RECORDS

HOME: Final = "home"
_ANSWER_S: Final = 300.0
"""An answer takes ten seconds; on a machine that is busy it may take its time."""


def walk(on: date) -> None:
    """In the folder with the client's files: serve, and go through fifteen weeks as its people would."""
    with ExitStack() as started:
        model = started.enter_context(serving_model()) if is_there() else None
        _walk(on, model)


def _walk(on: date, model: ModelServer | None) -> None:
    settings, story = _settings_with(model, on), Story.until(on)
    wanted = tomllib.loads(Path("brief.toml").read_text("utf-8"))
    brief = _brief_of_the_api(story.earlier(wanted))
    with serving(settings, story.clock) as running:
        house = found(running)
        note("A server", f"answers on {running.url}; its database lies in {HOME}/")
        note("", f"the story begins on {story.clock.now():%Y-%m-%d}, at the prices of the book as it is today")
        with Sixfold(running.url, house.keys[LEAD]) as lead, Sixfold(running.url) as anybody:
            with Sixfold(running.url, house.keys[REVIEWER]) as reviewer:
                engagement, estimate = _scope(lead, house, brief, story.today)
                sent = _send(lead, reviewer, engagement, estimate, brief["client"])
            signed = _decide(anybody, sent.links[0], brief["client"])
            _look_back(lead, anybody, engagement, sent)
            asks = brief["client"]
            welcome(
                running, house, client_id=engagement.client_id, name=asks["contact_name"], email=asks["contact_email"]
            )
            kept = deliver(running.url, house, story, engagement, client=asks["contact_name"], model=model)
        title("A second engagement, small enough to train on this machine")
        if model is None:
            note("A local model", "is not there (`make` lays one down), so nothing is trained")
        else:
            route(running, house, story, engagement, _brief_of_the_api(wanted))
        _check_the_trail(running, house)
        doors = open_doors(running, house)
    write_together({**signed, **kept})
    _invite(settings.base_url, doors)


def own_settings() -> Settings:
    """Those of the working folder, in a home of its own whatever the environment says."""
    return read_settings().model_copy(update={"home": Path(HOME), "database": SecretStr("")})


def _settings_with(model: ModelServer | None, on: date) -> Settings:
    """The model of this machine as an endpoint, and to be trained; a server that is started on the folder later knows
    neither."""
    if model is None:
        return own_settings()
    endpoint = ModelEndpoint(base_url=model.base_url, local=True, json_schema=True, timeout_s=_ANSWER_S)
    trainer = backend(folder_of(laid_down()), on=on)
    return own_settings().model_copy(update={"model_endpoints": {ENDPOINT: endpoint}, "backends": {BACKEND: trainer}})


def _brief_of_the_api(brief: dict[str, Any]) -> dict[str, Any]:
    """As plain JSON, with the averages that were counted in the file in place of the file's name."""
    figures = {row["key"]: row["value"] for row in json.loads(Path("estimate.json").read_text("utf-8"))["figures"]}
    answer = round(Decimal(figures["dataset.answer_tokens"]))
    whole = round(Decimal(figures["dataset.tokens_per_epoch"]) / Decimal(figures["dataset.examples"]))
    data = {key: value for key, value in brief["data"].items() if key != "dataset"}
    counted = brief | {"data": data | {"prompt_tokens": whole - answer, "answer_tokens": answer}}
    plain: dict[str, Any] = json.loads(json.dumps(counted, default=str))
    return plain


def _scope(lead: Sixfold, house: House, brief: dict[str, Any], on: date) -> tuple[Engagement, Estimate]:
    asks = brief["client"]
    client = lead.clients.create(
        name=asks["name"], country=asks["country"], legal_name=asks["legal_name"], industry=asks["industry"],
        address=asks["address"],
    )  # fmt: skip
    contact = lead.clients.add_contact(
        client.id, name=asks["contact_name"], role=asks["contact_role"], email=asks["contact_email"]
    )
    engagement = lead.engagements.open(client_id=client.id, name=brief["project"]["title"], owner_id=house.people[LEAD])
    note(LEAD, f"opens the client {client.name} with {contact.name}, and the engagement “{engagement.name}”")
    written = lead.briefs.add(engagement.id, brief)
    estimate = lead.estimates.add(engagement.id, brief_id=written.id, day=on)
    document = lead.estimates.get(estimate.id).document
    prices = ", ".join(f"{option['name']} {money(option['net'])}" for option in document["quote"]["options"])
    note("", f"writes brief {written.number}, prices it as estimate {estimate.number}: {prices}")
    note("", "(from the averages of the counted file, in whole tokens: a brief of the server names no file)")
    return engagement, estimate


def _send(lead: Sixfold, reviewer: Sixfold, engagement: Engagement, estimate: Estimate, asks: dict[str, Any]) -> Sent:
    draft = lead.proposals.draft(engagement.id, estimate_id=estimate.id, note="As discussed on the phone.")
    lead.proposals.request_approval(draft.id)
    try:
        lead.proposals.approve(draft.id)
    except Forbidden as refused:
        note("", f"drafts the proposal; approving it as well is refused: {refused.code}")
    reviewer.proposals.approve(draft.id)
    note(REVIEWER, "approves it")
    sent = lead.proposals.send(draft.id, [{"name": asks["contact_name"], "email": asks["contact_email"]}])
    frozen = sent.proposal
    note(LEAD, f"sends it as {frozen.number}, valid until {frozen.valid_until}: from now on it is these bytes")
    note("", f"sha256 {frozen.pdf_sha256}")
    return sent


def _decide(anybody: Sixfold, link: NewLink, asks: dict[str, Any]) -> Mapping[Path, bytes]:
    """Accept the recommended option; returns what the client keeps, by the names of its files."""
    assert link.token is not None, "the first answer tells the link"
    who, seen = asks["contact_name"], anybody.portal.look(link.token)
    pdf = anybody.portal.document(link.token, sha256=seen.pdf_sha256)
    note(who, f"opens the private link and reads those bytes, {len(pdf) / 1024:,.0f} KiB")
    chosen = next(option for option in seen.view["price"]["options"] if option["recommended"])
    signer = {"name": who, "role": asks["contact_role"], "email": asks["contact_email"]}
    decision = anybody.portal.accept(link.token, option=chosen["id"], sha256=seen.pdf_sha256, **signer)
    note(
        "",
        f"accepts {chosen['name']}: {minor(decision.net_minor)} {decision.currency} net, "
        f"{minor(decision.gross_minor)} gross",
    )
    try:
        anybody.portal.accept(link.token, option="prove", sha256=seen.pdf_sha256, **signer)
    except Conflict as refused:
        note("", f"accepting once more is refused: {refused.code}")
    certificate = anybody.portal.certificate(link.token)
    note("", "gets the certificate: who, when, from where, which bytes")
    return {Path("sent.pdf"): pdf, Path("certificate.pdf"): certificate}


def _look_back(lead: Sixfold, anybody: Sixfold, engagement: Engagement, sent: Sent) -> None:
    assert sent.proposal.pdf_sha256 is not None, "what was sent is frozen"
    named = anybody.portal.verify(sent.proposal.pdf_sha256)
    note(
        "Anybody",
        f"who has the PDF can ask for its sha256: {named.kind} {named.number} of {named.agency}, {named.state}",
    )
    baseline, state = lead.proposals.baseline(engagement.id), lead.engagements.get(engagement.id).state
    note(
        LEAD, f"finds the engagement {state}, with the baseline of its delivery: {len(baseline.plan['phases'])} phases"
    )


def _check_the_trail(running: Running, house: House) -> None:
    with running.wiring.store.read() as session:
        found = list(verify(session, house.organisation_id, RECORDS))
    assert not found, f"the trail is broken: {found[0]}"
    note("The trail", "of all this is whole: every change one event, every event chained to the one before")


def _invite(base_url: str, doors: Mapping[str, str]) -> None:
    console.print("\n  [bold]make serve[/] shows it. Each of these signs one of its people in once, within a day:")
    for name, path in doors.items():
        console.print(f"    {name:<16} {base_url}{path}", soft_wrap=True)

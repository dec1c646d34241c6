"""Forms of changes as they are typed, and the values of the brief that people change most."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import model_validator
from sqlmodel import Session

from engagements.changes.assessing import brief_of
from engagements.changes.drafting import agreed_baseline
from engagements.changes.patching import value_at
from engagements.changes.schemas import ChangeIn
from engagements.core.roles import Actor
from engagements.proposals.scoping import brief_from
from estimator.brief.fields import refusal
from estimator.errors import BriefInvalid
from estimator.money import Money
from estimator.phases import Phase
from estimator.quote.offers import RECOMMENDED

_BRIEF: Final = "asks.brief."
_DAYS: Final = "asks.days."
_LINE: Final = "asks.lines.0."
_MONTHS: Final = "commercial.management_months"
_OFTEN: Final = (
    ("data.labelling.examples", "Examples to label"),
    ("data.labelling.new", "Examples among them to write anew"),
    ("drivers.integrations", "Integrations"),
    ("commercial.included_rounds", "Rounds included"),
    (_MONTHS, "Months of management"),
    ("task.target_percent", "Target of the main metric, per cent"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A value of the brief that can be asked for otherwise. `name`: of its field; `today`: what holds now."""

    name: str
    label: str
    today: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What the form of a change stands on."""

    choices: tuple[Choice, ...]
    phases: tuple[tuple[str, str], ...]
    currency: str


def asking(session: Session, actor: Actor, engagement_id: str) -> Asking:
    """Raises `ChangeConflict` where nothing was agreed yet."""
    baseline = agreed_baseline(session, engagement_id)
    row, _ = brief_of(session, actor, baseline)
    brief = brief_from(row.content)
    phases = [list(Phase)[each["number"] - 1] for each in baseline.plan["phases"]]
    # The months of the other options are not the brief's: none, or a year.
    fixed = {_MONTHS} if baseline.plan["option"]["id"] != RECOMMENDED else set()
    return Asking(
        choices=tuple(
            Choice(name=_BRIEF + path, label=label, today=value_at(brief, path))
            for path, label in _OFTEN
            if path not in fixed
        ),
        phases=tuple((phase.value, phase.label) for phase in phases),
        currency=baseline.plan["currency"],
    )


class ChangeForm(ChangeIn):
    """Fields are named by their place in the input; `other` holds further values of the brief, `path = value` a line.

    `net` and `cost` of the extra line are amounts in `currency`; `days_of` and `days` move one phase.
    """

    @model_validator(mode="before")
    @classmethod
    def _as_typed(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        typed = {name: str(value).strip() for name, value in values.items()}
        brief = {name.removeprefix(_BRIEF): _value(text) for name, text in typed.items()
                 if name.startswith(_BRIEF) and text}  # fmt: skip
        asks: dict[str, Any] = {"brief": brief | _others(typed.get("other", ""))}
        if typed.get(_LINE + "label"):
            asks["lines"] = [_line(typed)]
        if typed.get("days"):
            asks["days"] = {typed.get("days_of", ""): _whole(typed["days"])}
        return {"title": values.get("title", ""), "reason": values.get("reason", ""), "asks": asks}


def typed_again(asks: Mapping[str, Any], currency: str) -> dict[str, str]:
    """The fields of a form that asks for this, to edit it."""
    often = {path for path, _ in _OFTEN}
    brief: Mapping[str, Any] = asks.get("brief", {})
    fields = {_BRIEF + path: _text(value) for path, value in brief.items() if path in often}
    fields["other"] = "\n".join(f"{path} = {_text(value)}" for path, value in brief.items() if path not in often)
    for line in asks.get("lines", [])[:1]:
        fields |= {_LINE + "label": line["label"], _LINE + "phase": line["phase"]}
        fields["cost"] = f"{Money(line['cost_minor'], currency).amount:f}" if line["cost_minor"] else ""
        fields["net"] = "" if line["net_minor"] is None else f"{Money(line['net_minor'], currency).amount:f}"
    for phase, days in list(asks.get("days", {}).items())[:1]:
        fields |= {"days_of": phase, "days": str(days)}
    return fields


def fits_the_form(asks: Mapping[str, Any]) -> bool:
    """Whether the form shows all that is asked; what came over the API may hold more."""
    lines = asks.get("lines", [])
    simple = len(lines) <= 1 and not any(line["hours"] for line in lines)
    return simple and len(asks.get("days", {})) <= 1 and not asks.get("criteria")


def _others(text: str) -> dict[str, Any]:
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        path, equals, value = line.partition("=")
        if not equals:
            raise refusal("change.no_value", f"{line[:60]!r} has no value", "write path = value on each line")
        found[path.strip()] = _value(value.strip())
    return found


def _line(typed: Mapping[str, str]) -> dict[str, Any]:
    currency = typed.get("currency", "")
    line: dict[str, Any] = {"label": typed[_LINE + "label"], "phase": typed.get(_LINE + "phase", "")}
    if typed.get("cost"):
        line["cost_minor"] = _minor(typed["cost"], currency)
    if typed.get("net"):
        line["net_minor"] = _minor(typed["net"], currency)
    return line


def _minor(text: str, currency: str) -> int:
    try:
        return Money.parse(text, currency).minor
    except BriefInvalid as error:
        problem = error.problems[0]
        raise refusal(problem.code, problem.message, problem.remedy) from error


def _whole(text: str) -> int:
    digits = text.removeprefix("-")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 4:
        raise refusal("number.not_whole", f"{text[:20]!r} is no number of days", "write it like 3, or -3 for fewer")
    return int(text)


def _value(text: str) -> Any:
    """As JSON where it is JSON: a number, true, a list; else the words themselves."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

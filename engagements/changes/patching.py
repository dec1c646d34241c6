"""What a change asks to be different in the brief: values by path, such as `data.labelling.examples`.

Who the client is, the currency, taxes, margin and discount are no matter of a change request.
"""

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from engagements.core.errors import Invalid
from engagements.proposals.scoping import brief_from
from estimator.brief import Brief
from estimator.errors import BriefInvalid, Problem
from estimator.plain import plain

_SECTIONS: Final = frozenset({"task", "criteria", "fit", "data", "training", "traffic", "drivers", "value"})
_COMMERCIAL: Final = frozenset(
    {"included_rounds", "review_days", "management_months", "retrain_every_months", "warranty_days"}
)


def patched(brief: Brief, patch: Mapping[str, Any], criteria: Sequence[Mapping[str, Any]] = ()) -> Brief:
    """The brief with the values of a patch, and with further criteria.

    Raises `Invalid` with every path and value that does not fit.
    """
    problems = [_fixed(path) for path in patch if not _may_change(path)]
    content = _content(brief)
    for path, value in patch.items():
        if _may_change(path) and not _put(content, path.split("."), value):
            problems.append(_unknown(path))
    if criteria:
        content["criteria"] = [*content.get("criteria", []), *criteria]
    try:
        brief_after = brief_from(content)
    except BriefInvalid as error:
        problems += [replace(each, where=f"asks.brief.{each.where}") for each in error.problems]
    if problems:
        raise Invalid.of(*problems)
    return brief_after


def value_at(brief: Brief, path: str) -> str:
    """What the brief says at a path, in words; `nothing` where it is silent."""
    value: Any = _content(brief)
    for part in path.split("."):
        if isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            value = value.get(part) if isinstance(value, dict) else None
    match value:
        case None:
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case dict() | list():
            return json.dumps(value, ensure_ascii=False)[:400]
        case _:
            return str(value)[:400]


def _content(brief: Brief) -> dict[str, Any]:
    content = plain(brief)
    assert isinstance(content, dict)
    return copy.deepcopy(content)


def _may_change(path: str) -> bool:
    section, _, rest = path.partition(".")
    if path == "data.dataset":
        return False
    return section in _SECTIONS or (section == "commercial" and rest.partition(".")[0] in _COMMERCIAL)


def _put(content: dict[str, Any], parts: list[str], value: Any) -> bool:
    """Whether there was a place for it."""
    inside: Any = content
    for part in parts[:-1]:
        match inside:
            case dict():
                inside = inside.setdefault(part, {})
            case list() if part.isdigit() and int(part) < len(inside):
                inside = inside[int(part)]
            case _:
                return False
    last = parts[-1]
    match inside:
        case dict():
            inside[last] = value
        case list() if last.isdigit() and int(last) < len(inside):
            inside[int(last)] = value
        case list() if last.isdigit() and int(last) == len(inside):
            inside.append(value)
        case _:
            return False
    return True


def _fixed(path: str) -> Problem:
    allowed = ", ".join([*sorted(_SECTIONS), *(f"commercial.{name}" for name in sorted(_COMMERCIAL))])
    return Problem(
        code="change.path_fixed", where=f"asks.brief.{path}", message="a change request does not change this",
        remedy=f"change one of {allowed}; for anything else write a new proposal",
    )  # fmt: skip


def _unknown(path: str) -> Problem:
    return Problem(
        code="unknown_field", where=f"asks.brief.{path}", message="the brief has no such place", remedy="see the brief"
    )

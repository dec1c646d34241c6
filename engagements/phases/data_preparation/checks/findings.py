"""What can be found in a record, with its group, what it costs of the score, and what to do about it.

Codes that begin with `row.` are those of `estimator.tokens`, with its words and severities; the others stand here. A
weight is what one finding takes from the 100 points of an example. Weights are judged, by what a finding does to a
model that learns the example: 75 and more where it cannot be used (every error), about 40 where the model would learn
something wrong, 20 where a person has to look, 10 and less where only the surface is touched.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from estimator.errors import Problem, Severity
from estimator.tokens.findings import RULES as ROW_RULES

WEIGHT_OF_AN_ERROR: Final = 75
_WEIGHT_OF_A_WARNING: Final = 10


class CheckGroup(StrEnum):
    """The columns of the heat map, in their order."""

    STRUCTURE = "structure"
    LENGTH = "length"
    ANSWER = "answer"
    FORMAT = "format"
    LABEL = "label"
    TEXT = "text"
    LANGUAGE = "language"
    PERSONAL = "personal data"
    SAFETY = "safety"
    LICENCE = "licence"
    REPETITION = "repetition"
    OUTLIER = "outlier"


@dataclass(frozen=True, slots=True)
class Rule:
    """What every finding of one code has in common."""

    group: CheckGroup
    weight: int
    severity: Severity
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing about one record. `where` is a place in it such as `messages[2]`; `weight` are points of 100."""

    code: str
    severity: Severity
    message: str
    where: str = ""
    weight: int

    @property
    def group(self) -> CheckGroup:
        return rule_of(self.code).group

    @property
    def remedy(self) -> str:
        return rule_of(self.code).remedy

    def as_json(self) -> dict[str, Any]:
        return {
            "code": self.code, "severity": self.severity.value, "group": self.group.value, "message": self.message,
            "where": self.where, "weight": self.weight,
        }  # fmt: skip


def finding_of(row: Mapping[str, Any]) -> Finding:
    """The finding that `Finding.as_json` was written from."""
    return Finding(
        code=row["code"], severity=Severity(row["severity"]), message=row["message"], where=row.get("where", ""),
        weight=row["weight"],
    )  # fmt: skip


def found(code: str, message: str, *, where: str = "", severity: Severity | None = None) -> Finding:
    """A finding of one of the codes; `severity` where this case is graver or milder than the rule."""
    rule = rule_of(code)
    actual = severity or rule.severity
    weight = max(rule.weight, WEIGHT_OF_AN_ERROR) if actual is Severity.ERROR else rule.weight
    return Finding(code=code, severity=actual, message=message, where=where, weight=weight)


def found_by(problem: Problem) -> Finding:
    """What the check of the chat row said, as a finding."""
    return found(problem.code, problem.message, where=problem.where, severity=problem.severity)


def rule_of(code: str) -> Rule:
    """Of any code a finding can have; codes of files and unreadable lines count as structure."""
    return RULES.get(code) or _STRUCTURAL


def _error(group: CheckGroup, weight: int, remedy: str) -> Rule:
    return Rule(group, weight, Severity.ERROR, remedy)


def _warning(group: CheckGroup, weight: int, remedy: str) -> Rule:
    return Rule(group, weight, Severity.WARNING, remedy)


_G = CheckGroup
_STRUCTURAL: Final = Rule(_G.STRUCTURE, WEIGHT_OF_AN_ERROR, Severity.ERROR, "mend the row as its message says")

_OURS: Final = {
    "output.not_json": _error(_G.FORMAT, 80, "write the answer as JSON, and nothing around it"),
    "output.schema": _error(_G.FORMAT, 80, "mend the answer, or the schema if it is wrong"),
    "output.pattern": _error(_G.FORMAT, 80, "write the answer in the agreed form"),
    "output.target_differs": _warning(_G.FORMAT, 40, "make the answer and the object to be extracted say the same"),
    "output.target_missing": _warning(_G.FORMAT, 40, "give the object that is to be extracted"),
    "tools.arguments": _error(_G.FORMAT, 80, "call the function as its parameters say"),
    "span.offset": _warning(_G.FORMAT, 20, "count the offsets anew: they do not cut out the value"),
    "label.missing": _error(_G.LABEL, 75, "label the example, or leave it out"),
    "label.unknown": _error(_G.LABEL, 75, "use a label of the declared set, or add this one to it"),
    "label.not_answered": _warning(_G.LABEL, 40, "make the answer and the label say the same"),
    "label.spelling": _warning(_G.LABEL, 20, "write the label as the others of its class are written"),
    "preference.missing": _error(_G.STRUCTURE, 75, "give the answer that was liked less"),
    "preference.same": _error(_G.ANSWER, 75, "drop the pair: both answers are the same"),
    "language.other": _warning(_G.LANGUAGE, 20, "translate it, leave it out, or allow its language"),
    "personal_data.found": _warning(_G.PERSONAL, 20, "redact it, or keep it with a named person's consent"),
    "personal_data.kept": _warning(_G.PERSONAL, 0, "nothing, as long as the consent to keep it stands"),
    "personal_data.secret": _warning(_G.PERSONAL, 40, "take the secret out and have it changed where it is used"),
    "safety.toxic": _warning(_G.SAFETY, 30, "rewrite it, unless the model shall learn to answer such a tone"),
    "safety.code_injection": _warning(_G.SAFETY, 20, "look at it: it reads like an attack on a database or a page"),
    "licence.missing": _warning(_G.LICENCE, 5, "name the licence or right under which the source may be used"),
    "licence.not_allowed": _error(_G.LICENCE, 75, "leave the example out, or obtain the right to use it"),
    "set.conflict": _warning(_G.LABEL, 40, "decide which answer is right: the same input is answered differently"),
    "set.near_conflict": _warning(_G.LABEL, 30, "decide which is right: inputs that are nearly the same differ in it"),
    "set.answers_vary": _warning(_G.ANSWER, 5, "keep the better answer, unless both are meant"),
    "set.rare_key": _warning(_G.STRUCTURE, 5, "see whether the key belongs to the example; no other has it"),
    "set.length_outlier": _warning(_G.OUTLIER, 10, "see whether it belongs here: far longer than its like"),
    "set.class_outlier": _warning(_G.OUTLIER, 15, "see whether the label is right: it reads like another class"),
}  # fmt: skip

_ROWS: Final[dict[CheckGroup, dict[str, int]]] = {
    _G.STRUCTURE: {"row.unknown_key": 5, "row.no_user": 20, "row.consecutive_users": 15, "row.two_systems": 10,
        "row.bad_weight": 10, "row.duplicate_key": 20, "row.bad_content": 20, "row.bad_tool_call": 20},
    _G.LENGTH: {"row.too_many_tokens": 75, "row.long_input": 10, "row.image_not_counted": 5},
    _G.ANSWER: {"row.truncated_answer": 40, "row.refusal": 40, "row.echo": 50},
    _G.TEXT: {"row.special_token": 75, "row.mojibake": 30, "row.zero_width": 10, "row.bidi_control": 20,
        "row.nul_char": 20, "row.formula_cell": 5, "row.bad_unicode": 75},
    _G.PERSONAL: {"row.sensitive": 20},
    _G.SAFETY: {"row.prompt_injection": 30, "row.markup": 20},
    _G.REPETITION: {"row.duplicate_of": 20, "row.near_duplicate_of": 15},
    _G.LABEL: {"row.label_conflict": 40},
}  # fmt: skip
_GROUP_OF_ROW: Final = {code: group for group, codes in _ROWS.items() for code in codes}
_WEIGHT_OF_ROW: Final = {code: weight for codes in _ROWS.values() for code, weight in codes.items()}


def _of_row(code: str, severity: Severity, remedy: str) -> Rule:
    """Of codes without a weight of their own, errors count as such and warnings little."""
    usual = WEIGHT_OF_AN_ERROR if severity is Severity.ERROR else _WEIGHT_OF_A_WARNING
    return Rule(_GROUP_OF_ROW.get(code, _G.STRUCTURE), _WEIGHT_OF_ROW.get(code, usual), severity, remedy)


RULES: Final[Mapping[str, Rule]] = _OURS | {
    code: _of_row(code, rule.severity, rule.remedy) for code, rule in ROW_RULES.items()
}

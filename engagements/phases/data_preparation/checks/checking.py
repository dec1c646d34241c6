"""The check of one record on its own: a pure function, so that any number of processes can map it over a set."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from engagements.phases.data_preparation.checks.findings import Finding, found, found_by
from engagements.phases.data_preparation.checks.language import other_language
from engagements.phases.data_preparation.checks.outputs import called, output_findings
from engagements.phases.data_preparation.checks.personal_data import PersonalKind, find_in, words_of
from engagements.phases.data_preparation.checks.policy import CheckPolicy, PersonalDataRule
from engagements.phases.data_preparation.checks.repair import is_misread
from engagements.phases.data_preparation.checks.toxicity import code_injection, toxic
from engagements.phases.data_preparation.records import Record, text_of
from estimator.errors import Severity
from estimator.tokens.check import check_row
from estimator.tokens.encodings import encoding_for
from estimator.tokens.training import billed_training_tokens

_REPLACED: Final = frozenset({"row.sensitive"})
"""`personal_data` finds the same, and where it stands."""
_UNREADABLE: Final = frozenset({"row.messages_missing", "row.bad_message", "row.bad_content", "row.unknown_role"})
_CHARS_JUDGED: Final = 20_000
"""Of a longer text the beginning is searched for personal data, abuse and language."""
_CHARS_REMEMBERED: Final = 40
_BYTES_A_CHAR: Final = 4
_TOKENS_A_TEXT: Final = 8
"""What a message adds beside its text, generously: 3, its role and a name (`estimator.tokens.training`)."""
_COUNTED_AS: Final = "gpt-4o"
"""Where a limit is given without a model: o200k_base, as in every estimate without one."""


@dataclass(frozen=True, slots=True)
class _Text:
    """`role` is that of the message, or "call" for the arguments of a call."""

    where: str
    role: str
    text: str


def check_record(record: Record, policy: CheckPolicy) -> list[Finding]:
    """Everything to say about one record; every code once, at its first place. Never raises, whatever it holds."""
    row = chat_row(record)
    kept: dict[str, Finding] = {}
    for problem in check_row(row):
        if problem.code not in _REPLACED:
            kept.setdefault(problem.code, found_by(problem))
    texts = _texts(record)
    for finding in _findings(record, row, texts, policy):
        kept.setdefault(finding.code, finding)
    if _UNREADABLE.isdisjoint(kept):
        for finding in output_findings(record, text_of(record.messages[-1]), policy):
            kept.setdefault(finding.code, finding)
    return list(kept.values())


def chat_row(record: Record) -> dict[str, object]:
    """The record as the row that OpenAI's fine-tuning reads."""
    row: dict[str, object] = {"messages": list(record.messages)}
    if record.tools:
        row["tools"] = list(record.tools)
    if record.parallel_tool_calls is not None:
        row["parallel_tool_calls"] = record.parallel_tool_calls
    return row


def _texts(record: Record) -> list[_Text]:
    found: list[_Text] = []
    for index, message in enumerate(record.messages):
        if isinstance(message, dict):
            role, where = str(message.get("role")), f"messages[{index}]"
            if text := text_of(message):
                found.append(_Text(where, role, text))
            if "tool_calls" in message:
                found += [_Text(where, "call", arguments) for _, arguments in called(message)]
    return found


def _findings(record: Record, row: dict[str, object], texts: Sequence[_Text], policy: CheckPolicy) -> Iterator[Finding]:
    yield from _licence(record, policy)
    yield from _length(row, texts, policy)
    personal: dict[PersonalKind, str] = {}
    for each in texts:
        judge = _judge_again if each.role == "system" or len(each.text) <= _CHARS_REMEMBERED else _judge
        judged = judge(each.text[:_CHARS_JUDGED], policy.languages)
        if judged.is_misread:
            yield found("row.mojibake", "letters were read in the wrong encoding", where=each.where)
        for kind in judged.kinds:
            personal.setdefault(kind, each.where)
        if each.role not in ("system", "call"):
            yield from _tone(judged, each)
    if personal:
        yield from _personal(personal, policy)


@dataclass(frozen=True, slots=True)
class _Judged:
    """What is to be said of a text, whoever says it; `language` only where it is not among those allowed."""

    kinds: tuple[PersonalKind, ...]
    abuse: str | None
    attack: str | None
    language: str | None
    is_misread: bool


def _judge(text: str, languages: frozenset[str]) -> _Judged:
    low = text.lower()
    words = words_of(low)
    return _Judged(
        kinds=tuple(span.kind for span in find_in(text, low, words)),
        abuse=toxic(low, words),
        attack=code_injection(low),
        language=other_language(text, low, languages) if languages else None,
        is_misread=is_misread(text),
    )


_judge_again = lru_cache(maxsize=4_096)(_judge)
"""System prompts and answers in a word or two return row after row."""


def _tone(judged: _Judged, each: _Text) -> Iterator[Finding]:
    if judged.abuse:
        yield found("safety.toxic", f"the text says {judged.abuse!r}", where=each.where)
    if judged.attack and each.role == "user":
        yield found("safety.code_injection", f"{judged.attack!r} reads like an attack on a database", where=each.where)
    if judged.language:
        yield found("language.other", f"the text reads like {judged.language!r}", where=each.where)


def _personal(kinds: dict[PersonalKind, str], policy: CheckPolicy) -> Iterator[Finding]:
    severity = Severity.ERROR if policy.personal_data is PersonalDataRule.REFUSE else None
    if (where := kinds.pop(PersonalKind.SECRET, None)) is not None:
        yield found("personal_data.secret", "the text holds a key or password", where=where, severity=severity)
    if kinds:
        said = ", ".join(kind.replace("_", " ") for kind in kinds)
        code = "personal_data.kept" if policy.personal_data is PersonalDataRule.KEEP else "personal_data.found"
        yield found(code, f"the text holds: {said}", where=next(iter(kinds.values())), severity=severity)


def _licence(record: Record, policy: CheckPolicy) -> Iterator[Finding]:
    licence = record.origin.licence
    if not licence:
        if policy.licence_required:
            yield found("licence.missing", "nothing says under which right the example may be used")
    elif policy.licences and licence not in policy.licences:
        yield found("licence.not_allowed", f"the licence {licence[:60]!r} is not among those allowed")


def _length(row: dict[str, object], texts: Sequence[_Text], policy: CheckPolicy) -> Iterator[Finding]:
    """Tokens are counted only where there are bytes enough for too many: no token is shorter than a byte."""
    limit = policy.limit
    if limit is None:
        return
    most = sum(_BYTES_A_CHAR * len(each.text) + _TOKENS_A_TEXT for each in texts)
    if "tools" in row:
        most += len(json.dumps(row["tools"]))
    if most > limit and (tokens := billed_training_tokens(row, encoding_for(policy.model or _COUNTED_AS))) > limit:
        yield found("row.too_many_tokens", f"{tokens:,} tokens, of which {limit:,} are kept")

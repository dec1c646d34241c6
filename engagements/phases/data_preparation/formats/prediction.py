"""What a provider would say of a file before it is sent there: its own words, where they are known, and our remedy.

A `Saying` is one sentence of one provider; rules say where it would fall. `exact` is true where the words were read in
the provider's documentation, its source or a job that failed, false where it only says something of this kind.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

Row = Mapping[str, Any]

MAX_LISTED: Final = 100


class Effect(StrEnum):
    """What becomes of the file: refused whole, or taken with rows left out, cut, changed, or against advice."""

    REFUSED = "refused"
    DROPPED = "dropped"
    CUT = "cut"
    CHANGED = "changed"
    ADVICE = "advice"


class Method(StrEnum):
    """How the job would train; the values are OpenAI's."""

    SUPERVISED = "supervised"
    DPO = "dpo"
    REINFORCEMENT = "reinforcement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """One sentence of a provider. `words` may name values in braces; `source` is where they were read."""

    code: str
    words: str
    remedy: str
    source: str
    exact: bool = False
    effect: Effect = Effect.REFUSED

    def at(self, where: str = "", **values: object) -> "Hit":
        return Hit(saying=self, where=where, values=values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One place where a saying falls, and the values of its words. The line is known to who counts the rows."""

    saying: Saying
    where: str = ""
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedError:
    """What a provider would say, where, and what to do. `line` counts from 1 and is None for the file as a whole."""

    provider: str
    code: str
    message: str
    remedy: str
    effect: Effect
    exact: bool
    source: str
    line: int | None = None
    record_id: str = ""
    where: str = ""


@dataclass(slots=True, kw_only=True)
class Facts:
    """The file as it grows: what rules about the whole file need. `seen` is for rules that compare rows."""

    model: str | None = None
    method: Method | None = None
    examples: int = 0
    size_bytes: int = 0
    seen: dict[str, set[object]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the file, the bytes that are written of it, and the file up to and with it."""

    row: Row
    content: bytes
    facts: Facts


RowRule = Callable[[Line], Iterator[Hit]]
FileRule = Callable[[Facts], Iterator[Hit]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All rules of one format: over each row, and over the file at its end."""

    rows: Sequence[RowRule] = ()
    file: Sequence[FileRule] = ()


class Judge:
    """Takes the rows of one file in their order and keeps no row; up to 100 predictions of a code are listed."""

    def __init__(self, provider: str, rules: Rules, *, model: str | None = None, method: Method | None = None) -> None:
        self._provider, self._rules = provider, rules
        self._facts = Facts(model=model, method=method)
        self._listed: list[PredictedError] = []
        self.counts: Counter[str] = Counter()
        """How often each code falls, listed or not."""
        self.refused = False

    def add(self, record_id: str, row: Row, content: bytes) -> None:
        """The next row of the file, and the bytes that are written of it."""
        facts = self._facts
        facts.examples += 1
        facts.size_bytes += len(content) + 1
        line = Line(row, content, facts)
        for rule in self._rules.rows:
            for hit in rule(line):
                self._list(hit, facts.examples, record_id)

    def close(self) -> list[PredictedError]:
        """Everything that was found; the file as a whole first."""
        for rule in self._rules.file:
            for hit in rule(self._facts):
                self._list(hit, None, "")
        return sorted(self._listed, key=lambda each: each.line or 0)

    def _list(self, hit: Hit, line: int | None, record_id: str) -> None:
        saying = hit.saying
        self.counts[saying.code] += 1
        self.refused |= saying.effect is Effect.REFUSED
        if self.counts[saying.code] <= MAX_LISTED:
            self._listed.append(self._predicted(hit, line, record_id))

    def _predicted(self, hit: Hit, line: int | None, record_id: str) -> PredictedError:
        saying = hit.saying
        return PredictedError(
            provider=self._provider, code=saying.code, message=saying.words.format(line=line, **hit.values),
            remedy=saying.remedy, effect=saying.effect, exact=saying.exact, source=saying.source, line=line,
            record_id=record_id, where=hit.where,
        )  # fmt: skip


def at_least(examples: int, saying: Saying) -> FileRule:
    """`saying` falls, with the number of `examples`, on a file of fewer."""

    def rule(facts: Facts) -> Iterator[Hit]:
        if facts.examples < examples:
            yield saying.at(examples=facts.examples)

    return rule


def at_most(examples: int, saying: Saying) -> FileRule:
    def rule(facts: Facts) -> Iterator[Hit]:
        if facts.examples > examples:
            yield saying.at(examples=facts.examples)

    return rule


def no_larger_than(size_bytes: int, saying: Saying) -> FileRule:
    def rule(facts: Facts) -> Iterator[Hit]:
        if facts.size_bytes > size_bytes:
            yield saying.at(gigabytes=round(facts.size_bytes / 1024**3, 3))

    return rule

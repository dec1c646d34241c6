"""A run as it is planned: which requests it makes, in which order, decided once from a seed of chance. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from engagements.phases.data_preparation.records import Task
from engagements.phases.data_preparation.synthesis.controls import Control, ControlKind
from engagements.phases.data_preparation.synthesis.gaps import Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request. `seed`: the id of the example that is shown, empty where a category has none to show."""

    number: int
    category: str
    persona: str
    seed: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that a run was asked for. `chance`: sent as the seed of the first request, one more with each.

    `controls`: cases whose grade is known, among what the judge grades.
    """

    task: Task
    gaps: tuple[Gap, ...]
    asks: tuple[Ask, ...]
    guidance: str
    temperature: float | None
    chance: int
    output_tokens_max: int
    concurrency: int
    judge_model: str
    score_min: int
    licence: str
    template: str
    controls: tuple[Control, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {
            "task": self.task.value, "gaps": [asdict(gap) for gap in self.gaps],
            "asks": [asdict(ask) for ask in self.asks],
            "controls": [asdict(each) | {"kind": each.kind.value} for each in self.controls],
        }  # fmt: skip

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> "Plan":
        whole = dict(said) | {
            "task": Task(said["task"]), "gaps": tuple(Gap(**gap) for gap in said["gaps"]),
            "asks": tuple(Ask(**ask) for ask in said["asks"]),
            "controls": tuple(Control(**each | {"kind": ControlKind(each["kind"])}) for each in said["controls"]),
        }  # fmt: skip
        return cls(**whole)

    @property
    def examples_shown(self) -> list[str]:
        """Ids of all that a prompt needs, to the writer or to the judge."""
        return [*(ask.seed for ask in self.asks if ask.seed), *(name for each in self.controls for name in each.needs)]

    @property
    def examples(self) -> int:
        return sum(ask.count for ask in self.asks)


def asks_for(
    gaps: Sequence[Gap], *, seeds: Mapping[str, Sequence[str]], personas: Sequence[str], per_request: int, chance: int
) -> tuple[Ask, ...]:
    """Requests for all gaps, round by round, so that a run that is stopped has done something for each.

    `seeds`: ids of usable examples by category. Each gap goes through its own in an order of chance, and through the
    personas.
    """
    drawing = np.random.default_rng(chance)
    ways = [_asks_of(gap, _shuffled(seeds.get(gap.category, ()), drawing), personas, per_request) for gap in gaps]
    in_turn = (ask for each in _rounds(ways) for ask in each)
    return tuple(
        Ask(number=number, category=ask.category, persona=ask.persona, seed=ask.seed, count=ask.count)
        for number, ask in enumerate(in_turn, start=1)
    )


def _asks_of(gap: Gap, seeds: Sequence[str], personas: Sequence[str], per_request: int) -> list[Ask]:
    sizes = [per_request] * (gap.wanted // per_request)
    sizes += [gap.wanted % per_request] if gap.wanted % per_request else []
    return [
        Ask(
            number=0, category=gap.category, persona=personas[turn % len(personas)],
            seed=seeds[turn % len(seeds)] if seeds else "", count=size,
        )
        for turn, size in enumerate(sizes)
    ]  # fmt: skip


def _shuffled(names: Sequence[str], drawing: np.random.Generator) -> list[str]:
    ordered = sorted(names)
    return [ordered[place] for place in drawing.permutation(len(ordered))]


def _rounds(ways: Sequence[Sequence[Ask]]) -> Iterator[list[Ask]]:
    for turn in range(max(map(len, ways), default=0)):
        yield [way[turn] for way in ways if turn < len(way)]

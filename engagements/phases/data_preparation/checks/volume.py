"""Are there examples enough for the task? Guidance of vendors and of our own practice, as of 22 November 2026.

Spans are those of the estimate (`estimator.fit.readiness.VOLUME`), which says where they come from; OpenAI refuses
fewer than 10 and sees gains from 50 to 100; Bedrock asks for 1,000 preference pairs; Vertex and Nova for 100 per task.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from engagements.phases.data_preparation.records import Task


class Sufficiency(StrEnum):
    """`REFUSED`: a vendor would not train on it. `SCARCE`: below the usual span. `AMPLE`: beyond it."""

    REFUSED = "refused"
    SCARCE = "scarce"
    USUAL = "usual"
    AMPLE = "ample"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guidance:
    """Examples that a kind of task usually takes, and who says so."""

    low: int
    high: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """`guidance` is None where the task is unknown, and then only the vendors' least number is looked at."""

    examples: int
    usable: int
    sufficiency: Sufficiency
    guidance: Guidance | None
    said: str


EXAMPLES_MIN: Final = 10
_SEED: Final = "usual spans of the estimate: 100-500 for classification and extraction, 500-2,000 for style"
_GUIDANCE: Final[Mapping[Task, Guidance]] = {
    Task.CLASSIFICATION: Guidance(low=100, high=500, source=_SEED),
    Task.EXTRACTION: Guidance(low=100, high=500, source=_SEED),
    Task.GENERATION: Guidance(low=500, high=2_000, source=_SEED),
    Task.CHAT: Guidance(low=500, high=2_000, source=_SEED),
    Task.TOOLS: Guidance(low=100, high=1_000, source="Nova: 100 for each task; Unsloth: 100, better 1,000"),
    Task.PREFERENCE: Guidance(low=1_000, high=10_000, source="Bedrock: at least 1,000 pairs"),
}


def volume_of(examples: int, usable: int, task: Task | None) -> Volume:
    """`usable` are the examples without an error: the ones that count."""
    guidance = _GUIDANCE[task] if task is not None else None
    if usable < EXAMPLES_MIN:
        said = f"{usable:,} usable examples; OpenAI refuses fewer than {EXAMPLES_MIN}"
        return Volume(examples=examples, usable=usable, sufficiency=Sufficiency.REFUSED, guidance=guidance, said=said)
    if guidance is None:
        said = f"{usable:,} usable examples; what is usual depends on the task"
        return Volume(examples=examples, usable=usable, sufficiency=Sufficiency.USUAL, guidance=None, said=said)
    said = f"{usable:,} usable examples; {guidance.low:,} to {guidance.high:,} are usual for {task}"
    sufficiency = (
        Sufficiency.SCARCE
        if usable < guidance.low
        else Sufficiency.AMPLE
        if usable > guidance.high
        else Sufficiency.USUAL
    )
    return Volume(examples=examples, usable=usable, sufficiency=sufficiency, guidance=guidance, said=said)

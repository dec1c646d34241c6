"""What each answer of a brief says for or against prompting, retrieval and fine-tuning.

Sources: the delivery method's two lists of when prompting suffices and when tuning is needed, and its advice to use
retrieval for knowledge that changes. The points are our judgement.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from estimator.brief import FitAnswers


class Approach(StrEnum):
    PROMPT = "prompt"
    RETRIEVAL = "retrieval"
    FINE_TUNE = "fine_tune"
    BOTH = "fine_tune_and_retrieval"

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS: Final = {
    Approach.PROMPT: "prompt engineering",
    Approach.RETRIEVAL: "retrieval (RAG)",
    Approach.FINE_TUNE: "fine-tuning",
    Approach.BOTH: "fine-tuning with retrieval",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What one answer says: points for each approach it speaks of, from -3 to 3."""

    field: str
    reason: str
    points: Mapping[Approach, int]


_P, _R, _F, _B = Approach
_YES_NO: Final[Mapping[str, Mapping[bool, Signal]]] = {
    name: {
        True: Signal(field=name, reason=yes, points=yes_points),
        False: Signal(field=name, reason=no, points=no_points),
    }
    for name, yes, yes_points, no, no_points in (
        ("needs_facts", "answers rest on facts the base model cannot know", {_R: 3, _B: 2, _F: -1, _P: -1},
         "no private facts are needed", {_R: -3, _B: -2, _F: 1}),
        ("needs_citations", "answers must name their source", {_R: 2, _B: 1, _F: -1},
         "sources need not be named", {_R: -1}),
        ("consistent_format", "every output must keep one format", {_F: 2, _B: 2, _P: -1},
         "the format may vary", {_P: 1}),
        ("house_style", "outputs must sound like the house", {_F: 2, _B: 2, _P: -1},
         "no house style is asked for", {_P: 1, _F: -1, _B: -1}),
        ("domain_language", "the domain has terms and conventions of its own", {_F: 2, _B: 2, _P: -1},
         "the vocabulary is common", {_P: 2, _F: -1, _B: -1}),
        ("hard_to_describe", "the behaviour is easier shown than described", {_F: 3, _B: 3, _P: -2},
         "the behaviour can be written down", {_P: 2, _F: -1, _B: -1}),
        ("latency_critical", "short prompts are needed for speed", {_F: 2, _B: 1, _P: -2, _R: -1},
         "latency is no concern", {_P: 1}),
        ("cost_critical", "cost per request matters at this volume", {_F: 1, _B: 1, _P: -1},
         "cost per request is no concern", {_P: 1}),
        ("retrieval_tried", "retrieval was tried and was not enough", {_R: -2, _F: 1, _B: 1},
         "retrieval has not been tried", {_R: 1}),
    )
}  # fmt: skip
_CHOICES: Final[Mapping[str, Mapping[str, Signal]]] = {
    "instructions": {
        "enough": Signal(field="instructions", reason="instructions describe the task", points={_P: 3, _F: -2, _B: -2}),
        "partly": Signal(field="instructions", reason="instructions describe part of the task", points={_F: 1, _B: 1}),
        "not_enough": Signal(
            field="instructions", reason="instructions alone do not get there", points={_P: -3, _F: 3, _B: 3}
        ),
    },
    "few_shot": {
        "good": Signal(field="few_shot", reason="a few examples in the prompt do", points={_P: 3, _F: -2, _B: -2}),
        "close": Signal(field="few_shot", reason="examples in the prompt come close", points={_P: 1, _F: 1, _B: 1}),
        "poor": Signal(
            field="few_shot", reason="examples in the prompt do not get there", points={_P: -3, _F: 2, _B: 2}
        ),
    },
    "facts_change": {
        "never": Signal(field="facts_change", reason="the facts stand still", points={_R: -1, _F: 1}),
        "yearly": Signal(field="facts_change", reason="the facts change yearly", points={_R: 1, _B: 1}),
        "monthly": Signal(field="facts_change", reason="the facts change monthly", points={_R: 2, _B: 1, _F: -1}),
        "weekly": Signal(field="facts_change", reason="the facts change weekly", points={_R: 3, _B: 2, _F: -2}),
        "daily": Signal(field="facts_change", reason="the facts change daily", points={_R: 3, _B: 2, _F: -3}),
    },
    "behaviour_changes": {
        "rarely": Signal(field="behaviour_changes", reason="the wanted behaviour is stable", points={_F: 1, _B: 1}),
        "yearly": Signal(
            field="behaviour_changes", reason="the wanted behaviour changes yearly", points={_F: 1, _B: 1}
        ),
        "quarterly": Signal(
            field="behaviour_changes", reason="the wanted behaviour changes quarterly", points={_F: -1}
        ),
        "monthly": Signal(
            field="behaviour_changes", reason="the wanted behaviour changes monthly", points={_P: 2, _F: -2, _B: -2}
        ),
    },
}

QUESTIONS: Final = {
    "instructions": "whether instructions alone describe the task",
    "few_shot": "how well a few examples in the prompt do",
    "prompt_optimised": "whether anybody has optimised the prompt",
    "retrieval_tried": "whether retrieval was tried",
    "needs_facts": "whether answers rest on private facts",
    "facts_change": "how often those facts change",
    "needs_citations": "whether answers must name sources",
    "consistent_format": "whether the output format must never vary",
    "house_style": "whether outputs must sound like the house",
    "domain_language": "whether the domain has a language of its own",
    "hard_to_describe": "whether the behaviour is easier shown than described",
    "latency_critical": "whether speed decides",
    "cost_critical": "whether cost per request decides",
    "behaviour_changes": "how often the wanted behaviour changes",
}


def signals_of(answers: FitAnswers) -> list[Signal]:
    """The signals of the answers that were given."""
    found = [table[answer] for name, table in _YES_NO.items() if (answer := getattr(answers, name)) is not None]
    return found + [table[answer] for name, table in _CHOICES.items() if (answer := getattr(answers, name)) is not None]

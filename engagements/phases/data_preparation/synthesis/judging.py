"""What a judge makes of the drafts. A judge that fails says nothing: such a draft is kept, and marked as unjudged.

One draft a request, so that no order among drafts can matter. Among them are cases whose grade is known: where the
judge does not tell the good of them from the bad, its grades leave nothing out. It is never the only gate: people
review what is kept, and see the grade only afterwards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engagements.phases.data_preparation.records import Record
from engagements.phases.data_preparation.synthesis.answers import Dropped, Grade, Left, read_grade
from engagements.phases.data_preparation.synthesis.budget import Purpose
from engagements.phases.data_preparation.synthesis.calls import Answered, Place
from engagements.phases.data_preparation.synthesis.controls import Control, JudgeCheck, check_of
from engagements.phases.data_preparation.synthesis.plan import Plan
from engagements.phases.data_preparation.synthesis.prompts import Wish, judge_prompt
from engagements.phases.data_preparation.synthesis.questions import Question
from engagements.phases.data_preparation.synthesis.shapes import GRADE
from engagements.phases.data_preparation.synthesis.sifting import Draft
from engagements.phases.data_preparation.synthesis.worst_case import GRADE_TOKENS_MAX, wish_of, wish_to_judge

_OF_CONTROLS = 0
"""The number that their places have; requests of the writer are counted from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """`grade` None: nobody judged it, or the judge did not answer as asked."""

    draft: Draft
    grade: Grade | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request to the judge: a draft, or a case whose grade is known."""

    place: Place
    question: Question


def cases_of(plan: Plan, drafts: Sequence[Draft], records: Mapping[str, Record]) -> list[Case]:
    """Drafts and controls in one order of chance. A control whose examples are not in `records` is left out."""
    cases = [
        Case(place=_place_of(each), question=_question(plan, wish_of(plan, each.ask), each.candidate.as_json()))
        for each in drafts
    ]
    cases += [
        Case(
            place=place_of_control(each),
            question=_question(plan, wish_to_judge(plan, each), each.candidate(records)),
        )
        for each in plan.controls
        if set(each.needs) <= set(records)
    ]
    return [cases[place] for place in np.random.default_rng(plan.chance).permutation(len(cases))]


def place_of_control(control: Control) -> Place:
    return Place(purpose=Purpose.JUDGE, number=_OF_CONTROLS, part=control.number)


def judge_check(plan: Plan, answers: Mapping[Place, Answered]) -> JudgeCheck | None:
    """None where nobody judges."""
    if not plan.judge_model:
        return None
    grades = {
        each.number: _grade(answers[place]) for each in plan.controls if (place := place_of_control(each)) in answers
    }
    return check_of(plan.controls, grades, least=plan.score_min)


def _place_of(draft: Draft) -> Place:
    return Place(purpose=Purpose.JUDGE, number=draft.ask.number, part=draft.part)


def _question(plan: Plan, wish: Wish, candidate: Mapping[str, Any]) -> Question:
    """At temperature 0: the same text is to get the same grade."""
    prompt = judge_prompt(wish, candidate)
    return Question(
        model=plan.judge_model, prompt=prompt, most_output=GRADE_TOKENS_MAX,
        temperature=None if plan.temperature is None else 0.0, chance=plan.chance, shape=GRADE,
    )  # fmt: skip


def judged(
    drafts: Sequence[Draft], answers: Mapping[Place, Answered], *, least: int
) -> tuple[tuple[Judged, ...], tuple[Left, ...]]:
    """Those that are kept, and those graded below `least`."""
    kept: list[Judged] = []
    left: list[Left] = []
    for draft in drafts:
        answer = answers.get(_place_of(draft))
        grade = _grade(answer) if answer else None
        if grade is not None and grade.score < least:
            left.append(Left(reason=Dropped.JUDGED_LOW, text=f"{grade.score}: {grade.reason}: {draft.candidate.input}"))
        else:
            kept.append(Judged(draft=draft, grade=grade))
    return tuple(kept), tuple(left)


def _grade(answer: Answered) -> Grade | None:
    return read_grade(answer.content, answer.finish_reason)

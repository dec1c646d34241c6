"""What of the answers is worth a judge's and a reviewer's time: new, unlike anything sealed, and passing the checks."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from engagements.phases.data_preparation.checks.checking import check_record
from engagements.phases.data_preparation.checks.findings import Finding
from engagements.phases.data_preparation.checks.policy import CheckPolicy
from engagements.phases.data_preparation.records import Message, Origin, Provenance, Record, Task
from engagements.phases.data_preparation.synthesis.answers import Candidate, Dropped, Left, read_answer
from engagements.phases.data_preparation.synthesis.calls import Answered, Place
from engagements.phases.data_preparation.synthesis.likeness import groups_of
from engagements.phases.data_preparation.synthesis.plan import Ask, Plan
from estimator.errors import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An example that one answer held. `place`: where its judge's answer belongs."""

    ask: Ask
    part: int
    candidate: Candidate
    record: Record
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sifted:
    drafts: tuple[Draft, ...]
    left: tuple[Left, ...]


def read_all(plan: Plan, answers: Mapping[Place, Answered], seeds: Mapping[str, Record], *, run_id: str) -> Sifted:
    """Every example of every answer of the writing model, in the order of the requests."""
    drafts: list[Draft] = []
    left: list[Left] = []
    by_number = {place.number: answer for place, answer in answers.items() if place.part == 0}
    for ask in plan.asks:
        if (answer := by_number.get(ask.number)) is None:
            continue
        if ask.seed and ask.seed not in seeds:
            # Sealed or rejected since it was shown: what was made from it must not come near anything else.
            left += [Left(reason=Dropped.SEED_GONE, text="")] * ask.count
            continue
        read = read_answer(
            answer.content, answer.finish_reason, task=plan.task, category=ask.category, asked=ask.count,
            tokens_max=plan.output_tokens_max,
        )  # fmt: skip
        left += read.left
        for part, candidate in enumerate(read.candidates, start=1):
            record = record_from(plan, ask, candidate, seeds.get(ask.seed), name=f"{run_id}.{ask.number}.{part}")
            drafts.append(Draft(ask=ask, part=part, candidate=candidate, record=record))
    return Sifted(drafts=tuple(drafts), left=tuple(left))


def sift(drafts: Sequence[Draft], *, pool: Sequence[str], sealed: Sequence[str], policy: CheckPolicy) -> Sifted:
    """Leaves out near copies of sealed texts, copies of the pool or of an earlier draft, and what fails a check."""
    texts = [each.record.question for each in drafts]
    groups = groups_of([*sealed, *pool, *texts])
    taboo, taken = set(groups[: len(sealed)]), set(groups[len(sealed) : len(sealed) + len(pool)])
    written = {*pool}
    kept: list[Draft] = []
    left: list[Left] = []
    for draft, text, group in zip(drafts, texts, groups[len(sealed) + len(pool) :], strict=True):
        findings = tuple(check_record(draft.record, policy))
        reason = _reason(text, group, taboo, taken, written, findings)
        if reason is not None:
            left.append(Left(reason=reason, text=text[:300] if reason is not Dropped.NEAR_TEST else ""))
            continue
        taken.add(group)
        written.add(text)
        kept.append(
            Draft(ask=draft.ask, part=draft.part, candidate=draft.candidate, record=draft.record, findings=findings)
        )
    return Sifted(drafts=tuple(kept), left=tuple(left))


def policy_of(plan: Plan, labels: Iterable[str]) -> CheckPolicy:
    """`labels`: those of the pool; the categories of the plan are labels too."""
    if plan.task is not Task.CLASSIFICATION:
        return CheckPolicy(task=plan.task)
    known = frozenset(labels) | frozenset(gap.category for gap in plan.gaps)
    return CheckPolicy(task=plan.task, labels=known)


def record_from(plan: Plan, ask: Ask, candidate: Candidate, seed: Record | None, *, name: str) -> Record:
    """The example as a record: of its seed's group and frame, of its category's label, with the seed's name."""
    system: list[Message] = [each for each in seed.messages if each.get("role") == "system"] if seed else []
    answer = _answer(plan.task, ask, candidate, seed)
    return Record(
        id=name,
        messages=[
            *system, {"role": "user", "content": candidate.input}, {"role": "assistant", "content": answer},
        ],
        label=ask.category or None if plan.task is not Task.EXTRACTION else None,
        target=candidate.output if isinstance(candidate.output, Mapping) else None,
        group=seed.group if seed else None,
        origin=Origin(kind=Provenance.SYNTHETIC, licence=plan.licence, seed=seed.id if seed else ""),
        meta={"persona": ask.persona, "request": ask.number},
    )  # fmt: skip


def _answer(task: Task, ask: Ask, candidate: Candidate, seed: Record | None) -> str:
    """A class is answered as its seed answers: where that wraps the label in JSON, so does this."""
    if task is Task.EXTRACTION:
        return json.dumps(candidate.output, ensure_ascii=False)
    output = str(candidate.output)
    if task is Task.CLASSIFICATION and seed and seed.label and seed.answer.count(seed.label) == 1:
        return seed.answer.replace(seed.label, ask.category or output)
    return output


def _reason(
    text: str, group: int, taboo: set[int], taken: set[int], written: set[str], findings: Sequence[Finding]
) -> Dropped | None:
    if group in taboo:
        return Dropped.NEAR_TEST
    if text in written:
        return Dropped.DUPLICATE
    if group in taken:
        return Dropped.NEAR_DUPLICATE
    if any(finding.severity is Severity.ERROR for finding in findings):
        return Dropped.CHECK_FAILED
    return None

"""The accepted proposal becomes work: plan, time, evidence, gates, a change and the reports, all through the API."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import Any, Final

from engagements.client import Conflict, Sixfold
from engagements.client.changes import Change
from engagements.client.datasets import DatasetVersion
from engagements.client.delivery import Phase
from engagements.client.gates import Sitting
from engagements.client.models import Engagement
from engagements.demo import data, measured
from engagements.demo.generating import generate, say_what_people_made_of_it
from engagements.demo.house import DELIVERY, ENGINEER, LABELLERS, LEAD, House
from engagements.demo.model.process import ModelServer
from engagements.demo.story import Story
from engagements.demo.words import minor, note
from engagements.proposals.method import method

_DATA, _BASELINE, _TRAINING = "data_preparation", "baseline_evaluation", "training"
_WEEKEND: Final = 5
_HOURS_OVER: Final = {_DATA: 1.08, _BASELINE: 0.96, _TRAINING: 0.7}
"""Of the hours that were agreed, what the story takes: more for the data, less where a phase is not over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """An engagement as three people act on it. `model` None: none is on this machine."""

    engagement: Engagement
    lead: Sixfold
    delivery: Sixfold
    client: Sixfold
    client_name: str
    house: House
    story: Story
    model: ModelServer | None

    @property
    def id(self) -> str:
        return self.engagement.id

    def phase(self, name: str) -> Phase:
        return next(each for each in self.delivery.plans.phases(self.id) if each.phase == name)


def deliver(
    url: str, house: House, story: Story, engagement: Engagement, *, client: str, model: ModelServer | None
) -> Mapping[Path, bytes]:
    """Two gates are passed, a third says what blocks it; returns the reports by the names of their files."""
    with ExitStack() as open_clients:
        lead, delivery, approver = (
            open_clients.enter_context(Sixfold(url, house.keys[name])) for name in (LEAD, DELIVERY, client)
        )
        work = Work(
            engagement=engagement, lead=lead, delivery=delivery, client=approver, client_name=client, house=house,
            story=story, model=model,
        )  # fmt: skip
        _plan(work)
        version = _prepare_data(work, url)
        _agree_a_change(work)
        _measure_the_bar(work, version)
        _train(work, version)
        return _report(work)


def _plan(work: Work) -> None:
    plan = work.delivery.plans
    for phase in plan.phases(work.id):
        plan.set_owner(phase, work.house.people[DELIVERY])
    first = work.phase(_DATA)
    assert first.planned_begin is not None, "delivery phases have days"
    note(DELIVERY, f"finds six phases planned and takes them over; the first begins on {first.planned_begin}")
    work.story.go_to(first.planned_begin)
    _begin(work, _DATA)


def _begin(work: Work, phase: str) -> None:
    work.delivery.plans.start(work.id, phase)
    note(DELIVERY, f"starts {phase.replace('_', ' ')}")
    for owed in work.delivery.milestones.list(work.id):
        if (owed.kind, owed.phase) == ("client_input", phase):
            work.delivery.milestones.reach(owed.id)
            note("", f"{work.client_name} has sent what was owed: {owed.name.lower()}")


def _prepare_data(work: Work, url: str) -> DatasetVersion:
    data.collect(work.delivery, work.id)
    data.check(work.delivery, work.lead, work.id)
    _log_hours(work, _DATA)
    phase = work.phase(_DATA)
    assert phase.planned_gate is not None, "delivery phases have days"
    work.story.go_to(phase.planned_gate - timedelta(days=1))
    data.review_by_two(url, work.delivery, work.house, work.id)
    if work.model is None:
        note("A local model", "is not there (`make` lays one down), so no example is generated")
    else:
        generate(work.delivery, work.id, work.model, on=work.story.today)
    data.review_the_rest(url, work.delivery, work.house, work.id)
    say_what_people_made_of_it(work.delivery, work.id, work.model)
    _refused(work, _DATA)
    work.story.go_to(phase.planned_gate + timedelta(days=1))
    version = data.seal(work.delivery, work.id)
    _pass(work, _DATA, "The splits are sealed, and nothing leaks.")
    _hand_over(work, "D1", "https://files.haldenroth.example/tickets-v2")
    issued = work.delivery.reports.issue(work.id, "The data are sealed; baselines follow.")
    note(DELIVERY, f"issues status report {issued.number}")
    return version


def _measure_the_bar(work: Work, version: DatasetVersion) -> None:
    _begin(work, _BASELINE)
    _log_hours(work, _BASELINE)
    phase, criteria = work.phase(_BASELINE), work.delivery.gates.criteria(work.id)
    promised = next(each for each in criteria if each.paired)
    items = max(each.items for each in criteria)
    test = next(split.sha256 for split in version.splits if split.name == "test")
    for subject, name, share in (
        ("base_model", "Qwen3-8B", 0.41),
        ("best_prompt", "Qwen3-8B, prompt 12", 0.63),
        ("human", "two agents of the client", 0.86),
    ):
        content = measured.evaluation(
            subject, name, promised.metric, hits=round(share * items), items=items, set_sha256=test
        )
        _record(work, f"{subject}-1", content)
    note(DELIVERY, "records three baselines over the sealed set, each with its interval")
    assert phase.planned_gate is not None, "delivery phases have days"
    work.story.go_to(phase.planned_gate)
    sitting = _pass(work, _BASELINE, "The bar is measured, and tuning can clear it.")
    work.client.gates.sign(sitting.id)
    note(work.client_name, "signs this gate too, as the proposal says")


def _train(work: Work, version: DatasetVersion) -> None:
    _begin(work, _TRAINING)
    work.story.end()
    _log_hours(work, _TRAINING)
    for number, cost in ((1, "2.14"), (2, "2.09"), (3, None)):
        content = measured.training_run(
            number, cost=cost, currency="EUR", is_candidate=number == 3, dataset=version.sha256
        )
        _record(work, f"run-{number}", content)
        work.delivery.costs.log(
            work.id, phase=_TRAINING, kind="compute", day=work.story.today, currency="EUR", machine=True,
            amount_minor=None if cost is None else round(100 * float(cost)), external_id=f"run-{number}",
            note=f"run-{number}, three epochs",
        )  # fmt: skip
    note(DELIVERY, "records three training runs; what the last one cost is not known yet, and counts as unknown")
    _refused(work, _TRAINING)


def _agree_a_change(work: Work) -> None:
    draft = work.delivery.changes.draft(
        work.id, title="A second system to answer in",
        reason="Your web chat is to show the drafts too, beside the ticket system.",
        asks={"brief": {"drivers.integrations": 2}},
    )  # fmt: skip
    assessed = work.delivery.changes.assess(draft.id)
    note(DELIVERY, f"drafts change {draft.number}, “{draft.title}”: {_effect(assessed)}")
    work.lead.changes.approve(draft.id)
    sent = work.lead.changes.send(draft.id)
    name = work.client_name
    email = f"{name.split()[0].lower()}@client.example"
    agreed = work.client.changes.agree(work.client.changes.get(sent.id), name=name, email=email)
    value = work.lead.changes.value(work.id)
    note(LEAD, "approves and sends it: nobody approves a change of their own")
    note(name, f"agrees; it is {agreed.state}, and the second baseline is made beside the first")
    note("", f"value agreed {minor(value.original_minor)}, changes {minor(value.approved_minor)} {value.currency}")


def _report(work: Work) -> Mapping[Path, bytes]:
    issued = work.delivery.reports.issue(
        work.id, "Training is under way. One gate waits for the record of the last run and its cost."
    )
    inside = work.lead.reports.preview(work.id, edition="internal")
    spent, ahead = work.lead.budgets.get(work.id).whole, work.lead.budgets.forecast(work.id).cost
    assert ahead is not None, "a budget was agreed"
    note(LEAD, f"sees what was spent, {minor(spent.spent_minor)} of {minor(spent.budget_minor)}, at least")
    note("", f"and where it ends: {minor(ahead.p50_minor)}, four times in five by {minor(ahead.p80_minor)}")
    note(DELIVERY, f"issues status report {issued.number}: the client's edition knows no cost")
    return {Path("status.pdf"): work.client.reports.document(issued), Path("status-internal.pdf"): inside}


def _log_hours(work: Work, name: str) -> None:
    """Every working day of the phase until its work is over, or until today, a week at a time."""
    phase = work.phase(name)
    assert phase.actual_begin is not None, "who logs time has begun"
    last = min(phase.planned_work_end or work.story.ends.date(), work.story.ends.date())
    days = [day for day in _days(phase.actual_begin, last) if day.weekday() < _WEEKEND]
    rows = list(_rows(work, name, days))
    for monday in sorted({day - timedelta(days=day.weekday()) for day in days}):
        week = [row for row in rows if monday.isoformat() <= row["day"] < (monday + timedelta(7)).isoformat()]
        work.story.go_to(monday + timedelta(days=4))
        done = [row for row in week if row["day"] <= work.story.today.isoformat()]
        if done:
            work.delivery.time.from_csv(work.id, _as_csv(done))
            _approve(work, monday, {row["person_id"] for row in done})
    hours = sum(int(row["minutes"]) for row in rows) / 60
    burned = next(each for each in work.lead.budgets.get(work.id).phases if each.phase == name)
    note("The team", f"logs {hours:,.0f} hours by CSV, week by week; {DELIVERY} approves them")
    alerts = [each for each in work.lead.budgets.alerts(work.id) if each.phase == name and not each.acknowledged_at]
    for text in sorted({alert.text for alert in alerts}):
        note(LEAD, f"is told at once: {text[:1].lower()}{text[1:]}")
    for alert in alerts:
        work.lead.budgets.acknowledge(alert.id)
    assert burned.minutes > 0


def _rows(work: Work, name: str, days: Sequence[date]) -> Iterator[dict[str, str]]:
    """The hours agreed by role, times what the story takes, spread evenly over the days and the people of the role."""
    planned = next(
        each for each in work.lead.proposals.baseline(work.id).plan["phases"] if each["number"] == _number(name)
    )
    names = {label: role for role, label in method().role_names.items()}
    for role, hours in planned["hours"].items():
        people = (
            LABELLERS if names[role] == "annotator" else (DELIVERY if names[role] == "delivery_lead" else ENGINEER,)
        )
        minutes = round(60 * hours * _HOURS_OVER[name] / len(days) / len(people))
        for day, person in product(days, [work.house.people[each] for each in people]):
            yield {
                "day": day.isoformat(), "phase": name, "role": names[role], "minutes": str(max(minutes, 1)),
                "person_id": person, "external_id": f"{name}-{names[role]}-{person}-{day}",
            }  # fmt: skip


def _approve(work: Work, monday: date, people: set[str]) -> None:
    year, week, _ = monday.isocalendar()
    for person_id in sorted(people):
        chosen = {"week": f"{year}-W{week:02}", "person_id": person_id}
        work.delivery.time.submit(work.id, **chosen)
        work.lead.time.approve(work.id, **chosen)


def _record(work: Work, external_id: str, content: dict[str, Any]) -> None:
    work.delivery.evidence.record(
        work.id, external_id=external_id, source="the team's own tools 1.4", measured_at=work.story.clock.now(),
        content=content,
    )  # fmt: skip


def _refused(work: Work, phase: str) -> None:
    try:
        work.delivery.gates.decide(work.id, phase, "go", reason="It looks ready.")
    except Conflict as refused:
        note(DELIVERY, f"wants to pass this gate; it is refused: {refused.code}")
        for blocker in work.delivery.gates.get(work.id, phase).blockers:
            note("", f"  {blocker.code}: {blocker.message}; {blocker.remedy}")


def _pass(work: Work, phase: str, reason: str) -> Sitting:
    work.delivery.plans.hand_in(work.id, phase)
    sitting = work.delivery.gates.decide(work.id, phase, "go", reason=reason)
    note(
        DELIVERY, f"passes the gate of {phase.replace('_', ' ')} on evidence: {len(sitting.findings)} requirements read"
    )
    return sitting


def _hand_over(work: Work, code: str, link: str) -> None:
    paper = next(each for each in work.delivery.deliverables.list(work.id) if each.code == code)
    paper = work.delivery.deliverables.change(paper, link=link, sha256=measured.digest(code))
    paper = work.delivery.deliverables.hand_in(paper.id)
    paper = work.lead.deliverables.submit(paper.id)
    work.client.deliverables.accept(paper)
    note(work.client_name, f"accepts deliverable {code}, {paper.name.lower()}")


def _effect(change: Change) -> str:
    return f"{minor(change.net_minor)} {change.currency} and {change.days} working days"


def _number(name: str) -> int:
    return (_DATA, _BASELINE, _TRAINING).index(name) + 1


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _as_csv(rows: Sequence[Mapping[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()

"""The end of a run: what its curves say, its checkpoints scored on validation, one of them chosen, its record.

Every step is kept as soon as it is done, so a kill costs at most the checkpoint that was being scored.
"""

import json
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

import engagements
from backends.errors import BackendError, Unreachable
from backends.events import Checkpoint, Metrics, Poll, RunState
from backends.protocol import Backend
from backends.spec import TrainingSpec
from engagements.cli.training.folder import Plan, RunFolder, metrics_of
from engagements.evals.metrics import metric_named
from engagements.files import write_whole
from engagements.phases.training.judging.record import ChosenCheckpoint, RunRecord, canonical, digest_of
from engagements.phases.training.judging.scoring import OnScored, Scored, items_of, score, tokens_for
from engagements.phases.training.judging.selection import Candidate, Choice, choose
from engagements.phases.training.judging.verdicts import SPOILT, Verdict, judge

BASE: Final = "base"
RECORD: Final = "record.json"
_TRIES: Final = 3

Scoring = Callable[[str], OnScored]
"""Given the name of what is scored, what is told of its items."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run led to. `scores`, by checkpoint and `base`; `unscored`: why not, likewise.

    `candidates`: the checkpoints in order; without any there is no `choice`.
    """

    spec: TrainingSpec
    plan: Plan
    poll: Poll
    verdict: Verdict
    scores: Mapping[str, Scored]
    unscored: Mapping[str, str]
    candidates: Sequence[Candidate]
    choice: Choice | None
    record: RunRecord

    @property
    def is_good(self) -> bool:
        return self.poll.state is RunState.SUCCEEDED and self.verdict.kind not in SPOILT

    @property
    def record_sha256(self) -> str:
        return digest_of(self.record)


@dataclass(slots=True, kw_only=True)
class _Answers:
    """The scores of a run, by checkpoint; those that were kept are not asked for again."""

    folder: RunFolder
    backend: Backend
    plan: Plan
    rows: Sequence[Mapping[str, object]]
    scores: dict[str, Scored] = field(default_factory=dict)
    unscored: dict[str, str] = field(default_factory=dict)

    def ask(self, name: str, model: str, progress: OnScored) -> None:
        kept = self.folder.scores()
        if name in kept:
            self.scores[name] = kept[name]
            return
        try:
            self.scores[name] = self._tried(model, progress)
        except BackendError as error:
            self.unscored[name] = str(error)
            return
        self.folder.write("scores.json", {key: asdict(each) for key, each in {**kept, name: self.scores[name]}.items()})

    def _tried(self, model: str, progress: OnScored) -> Scored:
        for _ in range(_TRIES - 1):
            try:
                return self._scored(model, progress)
            except Unreachable as error:
                time.sleep(error.retry_in_s)
        return self._scored(model, progress)

    def _scored(self, model: str, progress: OnScored) -> Scored:
        limit = self.plan.max_tokens or tokens_for(items_of(self.rows))
        predictor = self.backend.predictor(model)
        try:
            return score(predictor, self.rows, metric_named(self.plan.metric), max_tokens=limit, progress=progress)
        finally:
            predictor.close()


def finish(folder: RunFolder, backend: Backend, poll: Poll, *, scoring: Scoring) -> Outcome:
    """Of a run that has ended. Nothing is scored of one whose curves are spoilt, or that kept no checkpoint.

    Raises `NothingExpected` and `ExpectationUnreadable` for rows that the metric cannot score.
    """
    spec, plan, points = folder.spec(), folder.plan(), metrics_of(folder.events())
    verdict = judge(points, ended=True)
    folder.write("verdict.json", asdict(verdict))
    checkpoints = _checkpoints(poll, points)
    answers = _Answers(folder=folder, backend=backend, plan=plan, rows=_rows(folder.scored, plan.scored_rows))
    if answers.rows and checkpoints and verdict.kind not in SPOILT:
        for each in checkpoints:
            answers.ask(each.id, each.model, scoring(f"step {each.step}"))
        if plan.score_base:
            answers.ask(BASE, spec.model, scoring("the model before training"))
    candidates = _candidates(checkpoints, answers.scores, plan.metric, points)
    choice = _choice(candidates, answers.scores.get(BASE)) if candidates else None
    outcome = Outcome(
        spec=spec, plan=plan, poll=poll, verdict=verdict, scores=answers.scores, unscored=answers.unscored,
        candidates=candidates, choice=choice, record=_record(folder, plan, poll, verdict, answers.scores, choice),
    )  # fmt: skip
    write_whole(folder.path / RECORD, canonical(outcome.record))
    return outcome


def _checkpoints(poll: Poll, points: Sequence[Metrics]) -> list[Checkpoint]:
    """Those that were kept, and what came out where none was kept at the last step."""
    kept, last = list(poll.checkpoints), max((point.step for point in points), default=0)
    if poll.model and last > max((each.step for each in kept), default=-1):
        kept.append(Checkpoint(id=poll.model, step=last, model=poll.model))
    return kept


def _candidates(
    checkpoints: Sequence[Checkpoint], scores: Mapping[str, Scored], metric: str, points: Sequence[Metrics]
) -> list[Candidate]:
    losses = {point.step: point.full_valid_loss for point in points if point.full_valid_loss is not None}
    return [_candidate(each, scores.get(each.id), metric, losses.get(each.step)) for each in checkpoints]


def _choice(candidates: Sequence[Candidate], base: Scored | None) -> Choice:
    before = Checkpoint(id=BASE, step=0, model=BASE)
    return choose(candidates, base=_candidate(before, base, base.metric, None) if base else None)


def _candidate(checkpoint: Checkpoint, scored: Scored | None, metric: str, loss: float | None) -> Candidate:
    told = checkpoint.metrics.full_valid_loss if checkpoint.metrics else None
    return Candidate(
        checkpoint=checkpoint, metric=metric, value=scored.value if scored else None,
        hits=scored.per_item if scored else None, valid_loss=told if told is not None else loss,
    )  # fmt: skip


def _record(
    folder: RunFolder, plan: Plan, poll: Poll, verdict: Verdict, scores: Mapping[str, Scored], choice: Choice | None
) -> RunRecord:
    """Places of this machine are left out: what lies below the folder is named from there."""
    spec, chosen = folder.described(), choice.checkpoint if choice else None
    named = {chosen.id: plan.metric, BASE: f"{plan.metric}_base"} if chosen else {}
    measured = {name: scores[key].value for key, name in named.items() if key in scores}
    return RunRecord(
        spec=spec, spec_sha256=spec.digest, dataset_sha256=plan.dataset_sha256, environment=dict(poll.environment),
        metrics={**verdict.numbers, **measured}, verdict=f"{verdict.kind}: {verdict.said}", parent=plan.parent,
        software={"sixfold": engagements.__version__, "python": platform.python_version()},
        checkpoint=None if choice is None or chosen is None else ChosenCheckpoint(
            id=chosen.id, step=chosen.step, model=_below(folder, chosen.model), sha256=chosen.sha256,
            metric=plan.metric, value=measured.get(plan.metric), reason=choice.reason,
        ),
    )  # fmt: skip


def _below(folder: RunFolder, model: str) -> str:
    place, home = Path(model), folder.path.resolve()
    return str(place.relative_to(home)) if place.is_relative_to(home) else model


def _rows(path: Path, most: int) -> list[dict[str, Any]]:
    """Those that every checkpoint answers: all, or so many by chance, in their order; the same in every run."""
    if not path.is_file():
        return []
    lines = path.read_bytes().splitlines()
    if len(lines) > most:
        chosen = np.random.default_rng(0).choice(len(lines), most, replace=False)
        lines = [lines[place] for place in sorted(chosen.tolist())]
    return [json.loads(line) for line in lines]

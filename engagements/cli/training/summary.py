"""A run as its folder tells it, without asking anybody: where it stood, its curves, what was chosen, what it cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from backends.events import ENDED, Metrics, Usage
from backends.spec import TrainingSpec
from engagements.cli.training.finishing import RECORD
from engagements.cli.training.folder import Plan, RunFolder, Standing, metrics_of
from engagements.phases.training.judging.record import RunRecord, digest_of, read_record
from engagements.phases.training.judging.scoring import Scored
from engagements.phases.training.judging.verdicts import Verdict, judge
from engagements.phases.training.plans.prediction import price_row
from estimator.prices import PriceBook

_PLANNED: Final = "planned"
_HOUR_S: Final = 3600
_MTOK: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """`standing` None: nobody has looked yet. `record` None: it has not been finished."""

    folder: Path
    spec: TrainingSpec
    plan: Plan
    standing: Standing | None
    points: Sequence[Metrics]
    verdict: Verdict
    scores: Mapping[str, Scored]
    record: RunRecord | None

    @property
    def state(self) -> str:
        return self.standing.poll.state.value if self.standing else _PLANNED

    @property
    def usage(self) -> Usage:
        return self.standing.poll.usage if self.standing else Usage()

    @property
    def chosen(self) -> Scored | None:
        """The scores of the checkpoint that was chosen."""
        checkpoint = self.record.checkpoint if self.record else None
        return self.scores.get(checkpoint.id) if checkpoint else None

    @property
    def train_loss(self) -> float | None:
        """The last that was measured."""
        return next((each.train_loss for each in reversed(self.points) if each.train_loss is not None), None)

    @property
    def valid_loss(self) -> float | None:
        """The lowest of the whole validation file."""
        return min((each.full_valid_loss for each in self.points if each.full_valid_loss is not None), default=None)


def summary_of(folder: RunFolder) -> Summary:
    """Raises `NoRun`, and `RecordInvalid` for a record that was altered."""
    spec, plan, standing = folder.described(), folder.plan(), folder.standing()
    points = metrics_of(folder.events())
    record = folder.path / RECORD
    return Summary(
        folder=folder.path, spec=spec, plan=plan, standing=standing, points=points,
        verdict=judge(points, ended=bool(standing and standing.poll.state in ENDED)), scores=folder.scores(),
        record=read_record(record) if record.is_file() else None,
    )  # fmt: skip


def cost_of(spec: TrainingSpec, plan: Plan, usage: Usage, book: PriceBook) -> tuple[Decimal, str] | None:
    """What the provider charges by its own word; else what it bills at the price of the book, or our hours at theirs.

    None is unknown. The amount is exact and its currency is that of the price.
    """
    if usage.cost is not None and usage.currency:
        return usage.cost, usage.currency
    hour = plan.backend.hour
    if hour is not None and usage.seconds is not None:
        return hour.amount * (usage.devices or 1) * Decimal(str(usage.seconds)) / _HOUR_S, hour.currency
    row = price_row(book, plan.backend.provider, spec) if plan.backend.provider else None
    if row is None or row.usd is None or row.unit != "1M tokens" or usage.billed_tokens is None:
        return None
    return max(row.usd * usage.billed_tokens / _MTOK, row.min_charge_usd or Decimal(0)), "USD"


def as_plain(summary: Summary) -> dict[str, Any]:
    """JSON of one run in a list of them."""
    last, chosen, standing = max((each.step for each in summary.points), default=0), summary.chosen, summary.standing
    return {
        "folder": str(summary.folder), "run_id": summary.spec.run_id, "backend": summary.spec.backend,
        "model": summary.spec.model, "state": summary.state, "step": last, "train_loss": summary.train_loss,
        "total_steps": next((each.total_steps for each in reversed(summary.points) if each.total_steps), None),
        "valid_loss": summary.valid_loss, "metric": summary.plan.metric, "value": chosen.value if chosen else None,
        "verdict": summary.verdict.kind.value, "begun_at": summary.plan.begun_at.isoformat(),
        "looked_at": standing.looked_at.isoformat() if standing else None,
        "record_sha256": digest_of(summary.record) if summary.record else None,
    }  # fmt: skip

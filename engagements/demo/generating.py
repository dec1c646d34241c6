"""Examples that a model writes: the one of this machine, which is far too small for it, and is treated as any other."""

from datetime import date
from typing import Final

from rich.progress import Progress

from engagements.cli.output import to_stderr
from engagements.client import Sixfold
from engagements.client.synthesis import JudgeCheck, SynthesisRun
from engagements.demo.house import DELIVERY
from engagements.demo.model.process import ModelServer
from engagements.demo.model.weights import LICENCE, NAME
from engagements.demo.words import minor, note

ENDPOINT: Final = "local"
_EXAMPLES: Final = 8
_CONTROLS: Final = 4
_TOKENS_MAX: Final = 240
_AT_ONCE: Final = 2


def generate(delivery: Sixfold, engagement_id: str, model: ModelServer, *, on: date) -> None:
    """A handful, under a cap, by the way that any larger model's would take; people have the last word on each."""
    note("A local model", f"{NAME}, {LICENCE}, 135 million parameters, on this machine; {DELIVERY} asks it for")
    note("", f"{_EXAMPLES} examples under a cap of 5.00 EUR; a minute on two free cores")
    model.wait()
    there = delivery.synthesis.gaps(engagement_id).examples
    run = delivery.synthesis.plan(
        engagement_id, endpoint=ENDPOINT, model=NAME, task="generation", licence=f"{LICENCE}, generated",
        target=there + _EXAMPLES, per_gap_max=_EXAMPLES, per_request=1, output_tokens_max=_TOKENS_MAX,
        concurrency=_AT_ONCE, controls=_CONTROLS, cap_minor=500,
        price={
            "input": "0", "output": "0", "currency": "EUR", "as_of": on.isoformat(),
            "source": "a model on a machine of our own: nothing is paid by the token",
        },
    )  # fmt: skip
    run = _followed(delivery, delivery.synthesis.start(run.id))
    assert run.state == "done", run.error
    left = ", ".join(f"{count} {reason}" for reason, count in run.dropped.items()) or "none"
    tokens = f"{run.input_tokens + run.output_tokens:,} tokens"
    note("", f"writes {run.generated}, {run.kept} wait for review; left out: {left}")
    note("", f"{tokens} at 0 a token: {minor(run.spent_minor)} {run.currency}, a cost with its price and day")
    if run.judge_check is not None:
        note("", _said(run.judge_check))


def say_what_people_made_of_it(delivery: Sixfold, engagement_id: str, run_of: ModelServer | None) -> None:
    """Nothing that was generated counts before people have accepted it."""
    if run_of is None:
        return
    shares = delivery.synthesis.gaps(engagement_id)
    note(
        "", f"of what the small model wrote {shares.accepted_generated} are accepted: it shows the way, not the quality"
    )


def _followed(delivery: Sixfold, run: SynthesisRun) -> SynthesisRun:
    assert run.job_id is not None, "a run that was started has a job"
    with Progress(console=to_stderr, transient=True) as shown:
        bar = shown.add_task("The local model", total=None)
        for job in delivery.jobs.follow(run.job_id):
            shown.update(bar, description=f"The local model: {job.step}", completed=job.done, total=job.total)
    return delivery.synthesis.get(run.id)


def _said(check: JudgeCheck) -> str:
    assert check.low is not None, "there are accepted examples to test it with"
    assert check.high is not None, "as above"
    said = (
        f"as a judge it is right about {check.right} of {check.cases} known cases ({check.low:.0%} to {check.high:.0%})"
    )
    return f"{said}: {'it is believed' if check.relied_on else 'not to be relied on, its grades leave nothing out'}"

"""How much there is to train on: examples by split, and the tokens of one, counted from the file or from averages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from estimator.brief import Brief
from estimator.brief.stated import stated
from estimator.figures import Figure, Term, assumed, floor, given, measured, modelled
from estimator.sunset import Finding, Standing
from estimator.tokens import auto_epochs

if TYPE_CHECKING:
    from estimator.tokens import DatasetCount

_OVERHEAD_TOKENS: Final = 13
"""1 per example, and 3 + the role for each of three messages (cost reference, section 7.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """Examples by split and tokens per example. `counted` says whether a file was counted to the token."""

    examples: Figure
    train: Figure
    validation: Figure
    test: Figure
    tokens_per_example: Figure
    train_tokens: Figure
    validation_tokens: Figure
    answer_tokens: Figure
    counted: bool
    findings: Sequence[Finding]


def volume_of(brief: Brief, dataset: "DatasetCount | None") -> Volume:
    """Volumes from the counted file, or from the brief's averages; without either the tokens are unknown."""
    at_hand = stated(brief, "data.examples", "examples")
    per_example, answers = _averages(brief)
    if dataset is not None:
        source = f"counted with {dataset.encoding} in the dataset file, sha256 {dataset.sha256[:12]}"
        at_hand = measured("dataset.examples", dataset.examples, "examples", source=source)
        tokens = measured("dataset.tokens_per_epoch", dataset.tokens_per_epoch, "tokens", source=source)
        per_example = (tokens / at_hand).named("volume.tokens_per_example", "tokens", "Tokens per example")
        answers = measured("dataset.answer_tokens", dataset.answer_tokens_mean, "tokens", source=source)
    new = _new(brief)
    examples = (at_hand + new).named("volume.examples", "examples", "Examples in all")
    validation = _share(brief, "validation", examples)
    test = _share(brief, "test", examples)
    train = (examples - validation - test).named("volume.train", "examples", "Training examples")
    return Volume(
        examples=examples,
        train=train,
        validation=validation,
        test=test,
        tokens_per_example=per_example,
        train_tokens=(train * per_example).named("volume.train_tokens", "tokens", "Training tokens in one epoch"),
        validation_tokens=(validation * per_example).named("volume.validation_tokens", "tokens", "Validation tokens"),
        answer_tokens=answers,
        counted=dataset is not None,
        findings=tuple(_findings(brief, dataset, at_hand, train, per_example)),
    )


def epochs_of(brief: Brief, volume: Volume, *, openai_rule: bool) -> Figure:
    """Epochs of a run: as stated, or OpenAI's automatic rule; other routes train at most three."""
    if brief.training.epochs != "auto":
        return stated(brief, "training.epochs", "epochs")
    automatic = auto_epochs(max(1, int(volume.train.require())))
    if openai_rule:
        return modelled("epochs.auto", automatic, "epochs", source="OpenAI's automatic rule", inputs=(volume.train,))
    source = "automatic rule, at most the three epochs that adapters are usually trained for"
    return modelled("epochs.open", min(3, automatic), "epochs", source=source, inputs=(volume.train,))


def _new(brief: Brief) -> Figure:
    """Examples that are written during the engagement."""
    if brief.data.labelling is None:
        return given("brief.data.labelling.new", 0, "examples", source="the brief plans no labelling")
    return stated(brief, "data.labelling.new", "examples")


def _share(brief: Brief, split: str, examples: Figure) -> Figure:
    share = stated(brief, f"data.{split}_percent", "%")
    return floor(examples * share / 100).named(f"volume.{split}", "examples", f"{split.capitalize()} examples")


def _averages(brief: Brief) -> tuple[Figure, Figure]:
    prompt = stated(brief, "data.prompt_tokens", "tokens")
    answer = stated(brief, "data.answer_tokens", "tokens")
    source = "1 per example, 3 + the role for each of three messages (cost reference, section 7.1)"
    overhead = assumed("volume.overhead", _OVERHEAD_TOKENS, "tokens", source=source)
    mean: Term = prompt + answer + overhead
    return mean.named("volume.tokens_per_example", "tokens", "Tokens per example"), answer


def _findings(
    brief: Brief, dataset: "DatasetCount | None", at_hand: Figure, train: Figure, per_example: Figure
) -> Iterator[Finding]:
    if not train.value:
        message = "there is not one example to train on"
        remedy = "collect data.examples, or plan to write them: data.labelling.new"
        yield Finding(code="data.none", standing=Standing.REFUSED, message=message, remedy=remedy)
    labelling = brief.data.labelling
    if labelling is not None and labelling.examples - labelling.new > at_hand.require():
        reviewed = labelling.examples - labelling.new
        message = f"{reviewed:,} examples at hand are to be reviewed, and {at_hand.value:,} are at hand"
        remedy = "correct data.labelling.examples, or count what is written anew in data.labelling.new"
        yield Finding(code="labelling.beyond", standing=Standing.FLAGGED, message=message, remedy=remedy)
    if dataset is not None and dataset.examples != brief.data.examples:
        message = f"the brief says {brief.data.examples:,} examples, the dataset file holds {dataset.examples:,}"
        remedy = "the file was used; correct data.examples"
        yield Finding(code="dataset.differs", standing=Standing.FLAGGED, message=message, remedy=remedy)
    if not per_example.known:
        message = "how long an example is is unknown, so is every cost that depends on it"
        remedy = "name data.dataset, or give data.prompt_tokens and data.answer_tokens"
        yield Finding(code="tokens.unknown", standing=Standing.UNKNOWN, message=message, remedy=remedy)

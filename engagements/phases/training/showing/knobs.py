"""The knobs of a run as a form shows them: what each does, what holds where nobody sets it, and where that is from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from backends.peft_local import defaults
from backends.spec import Adapter, Batching, Effort, Precision, Schedule
from engagements.phases.training.catalogue_schemas import CatalogueBackendOut
from engagements.phases.training.showing import words

PLACE: Final = "base.hyperparameters."
"""Of a knob's field in the form, and of what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob:
    """`options`: the values of one that is chosen, with their words; else it is a number, or a word where `is_text`.

    `default` and `source` are those of hardware of ours: a provider chooses by itself. `is_fine`: rarely turned.
    """

    name: str
    label: str
    why: str
    default: str
    source: str = ""
    options: tuple[tuple[str, str], ...] = ()
    is_text: bool = False
    is_fine: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownKnob:
    """As one backend offers it; `otherwise`: what holds where it is left open, with its source; empty for a provider,
    which chooses by itself."""

    field: str
    label: str
    why: str
    otherwise: str
    options: tuple[tuple[str, str], ...]
    is_text: bool
    is_fine: bool

    @property
    def hint(self) -> str:
        return f"{self.why} {self.otherwise}".strip()


ADAPTERS: Final = {
    Adapter.LORA: "LoRA", Adapter.RSLORA: "rsLoRA", Adapter.DORA: "DoRA", Adapter.QLORA: "QLoRA (base in 4 bits)",
    Adapter.FULL: "Every weight",
}  # fmt: skip
BATCHINGS: Final = {
    Batching.PADDED: "Padded to the longest", Batching.LENGTH_GROUPED: "Similar lengths together",
    Batching.PACKED: "Packed, none seeing another",
}  # fmt: skip
PRECISIONS: Final = {
    Precision.AUTO: "By the hardware", Precision.BF16: "bfloat16", Precision.FP16: "float16", Precision.FP32: "float32",
}  # fmt: skip
SCHEDULES: Final = {Schedule.CONSTANT: "Constant", Schedule.LINEAR: "Linear", Schedule.COSINE: "Cosine"}

KNOBS: Final[Sequence[Knob]] = (
    Knob(
        name="adapter", label="Adapter", default="LoRA", source="the method's choice",
        why="What is trained: small matrices beside the weights, or every weight.",
        options=tuple((key.value, said) for key, said in ADAPTERS.items()),
    ),
    Knob(
        name="rank", label="Rank", default=str(defaults.RANK), source="Unsloth, TRL, Axolotl, AutoTrain",
        why="Room in the adapter for what is new.",
    ),
    Knob(
        name="epochs", label="Epochs", default=str(defaults.EPOCHS), source="TRL; Unsloth 1 to 3",
        why="How often every example is read; more on little data learns it by heart.",
    ),
    Knob(
        name="learning_rate", label="Learning rate",
        default=f"{words.short(defaults.LEARNING_RATE)}, {words.short(defaults.FULL_LEARNING_RATE)} for every weight",
        source="QLoRA, Unsloth, Axolotl, TRL",
        why="How far a step moves the weights: too high diverges, too low learns nothing.",
    ),
    Knob(
        name="learning_rate_multiplier", label="Learning rate, times the provider's own", default="1",
        why="Below 1 learns more slowly and steadily.",
    ),
    Knob(
        name="batch_size", label="Batch size", default=str(defaults.BATCH_SIZE), source="QLoRA; Unsloth 2 × 8",
        why="Examples between two steps; larger is steadier and takes fewer steps.",
    ),
    Knob(
        name="max_length", label="Longest example", default="what the model takes",
        why="In tokens; what is longer is cut. Memory grows with it.",
    ),
    Knob(
        name="batching", label="Batching", default=BATCHINGS[Batching.PACKED].lower(),
        source="the fastest that trains the same",
        why="How examples of different lengths share a batch.",
        options=tuple((key.value, said) for key, said in BATCHINGS.items()),
    ),
    Knob(
        name="early_stopping", label="Early stopping", default="never",
        why="Ends after so many evaluations without a lower validation loss.",
    ),
    Knob(
        name="evaluations", label="Evaluations", default=str(defaults.EVALUATIONS), source="our judgement",
        why="How often the validation loss is measured.", is_fine=True,
    ),
    Knob(
        name="checkpoints", label="Checkpoints", default=str(defaults.CHECKPOINTS), source="our judgement",
        why="How many are kept to choose among.", is_fine=True,
    ),
    Knob(
        name="max_steps", label="Steps at most", default="as the epochs make them", why="Ends earlier.", is_fine=True
    ),
    Knob(
        name="alpha", label="Alpha", default=f"{defaults.ALPHA_OF_RANK:g} × rank", source="TRL, Axolotl, AutoTrain",
        why="How strongly the adapter counts.", is_fine=True,
    ),
    Knob(
        name="dropout", label="Dropout", default=f"{defaults.DROPOUT:g}", source="LoRA Without Regret, Unsloth",
        why="Share of the adapter left out of each step, against learning by heart.", is_fine=True,
    ),
    Knob(
        name="targets", label="Layers with adapters", default="all-linear", source="every published recipe",
        why="Names with commas.", is_text=True, is_fine=True,
    ),
    Knob(
        name="schedule", label="Schedule", default=SCHEDULES[defaults.SCHEDULE].lower(),
        source="Unsloth, TRL, AutoTrain",
        why="How the learning rate falls.", is_fine=True,
        options=tuple((key.value, said) for key, said in SCHEDULES.items()),
    ),
    Knob(
        name="warmup_ratio", label="Warm-up", default=f"{defaults.WARMUP_RATIO:g}", source="Unsloth 5 to 10%",
        why="Share of the steps in which the rate rises.", is_fine=True,
    ),
    Knob(
        name="weight_decay", label="Weight decay", default=f"{defaults.WEIGHT_DECAY:g}", source="Unsloth",
        why="Pulls weights towards 0.", is_fine=True,
    ),
    Knob(
        name="max_grad_norm", label="Longest gradient", default=f"{defaults.MAX_GRAD_NORM:g}", source="transformers",
        why="Longer ones are cut to it.", is_fine=True,
    ),
    Knob(
        name="micro_batch_size", label="Micro-batch", default=str(defaults.MICRO_BATCH_SIZE),
        source="LLaMA-Factory, Axolotl",
        why="Examples that go through the device at once; a smaller one needs less memory.", is_fine=True,
    ),
    Knob(
        name="precision", label="Precision", default=PRECISIONS[Precision.AUTO].lower(), source="bfloat16 or float32",
        why="What is computed in.", is_fine=True,
        options=tuple((key.value, said) for key, said in PRECISIONS.items()),
    ),
    Knob(
        name="gradient_checkpointing", label="Gradient checkpointing", default="on a GPU",
        why="Less memory for a second pass.", is_fine=True, options=(("true", "Yes"), ("false", "No")),
    ),
    Knob(name="beta", label="Beta", default="the provider's", why="How close preference tuning stays to the base.",
         is_fine=True),
    Knob(
        name="reasoning_effort", label="Reasoning effort", default="the provider's", is_fine=True,
        why="Of reinforcement: how long the model reasons before it answers.",
        options=tuple((each.value, each.value.capitalize()) for each in Effort),
    ),
    Knob(
        name="compute_multiplier", label="Compute multiplier", default="the provider's", is_fine=True,
        why="Of reinforcement: more explores more, and costs more.",
    ),
    Knob(
        name="evaluation_interval", label="Steps between evaluations", default="the provider's", is_fine=True,
        why="Of reinforcement.",
    ),
    Knob(
        name="evaluation_samples", label="Answers per evaluated example", default="the provider's", is_fine=True,
        why="Of reinforcement: more make the points steadier.",
    ),
)  # fmt: skip
"""In the order of the form. Defaults are those of `backends.peft_local.defaults`, which names the same sources."""
LABELS: Final = {knob.name: knob.label for knob in KNOBS} | {
    "backend": "Backend", "model": "Model", "method": "Method", "seed": "Seed", "train": "Examples",
    "grader": "Grader",
}  # fmt: skip
_WORDS: Final = {str(key): said for table in (ADAPTERS, BATCHINGS, SCHEDULES) for key, said in table.items()}
AXES: Final = tuple((f"hyperparameters.{knob.name}", knob.label) for knob in KNOBS if not knob.is_text)


def offered(backend: CatalogueBackendOut) -> Iterator[ShownKnob]:
    """Those that a backend takes, with what it does where nobody sets them."""
    for knob in KNOBS:
        if knob.name in backend.hyperparameters:
            yield ShownKnob(
                field=PLACE + knob.name, label=knob.label, why=knob.why, options=_options(knob, backend),
                otherwise=_otherwise(knob, backend), is_text=knob.is_text, is_fine=knob.is_fine,
            )  # fmt: skip


def listed(given: Mapping[str, object]) -> str:
    """What was set, in a line: rank 16, learning rate 0.0001; empty where everything is left open."""
    return ", ".join(f"{label_of(name).lower()} {written(value)}" for name, value in given.items())


def written(value: object) -> str:
    """A knob's value as people read it."""
    match value:
        case None:
            return "left open"
        case bool():
            return "yes" if value else "no"
        case float():
            return words.short(value)
        case list() | tuple():
            return ", ".join(map(str, value))
        case _:
            return _WORDS.get(str(value), str(value))


def label_of(name: str) -> str:
    return LABELS.get(name, name.replace("_", " ").capitalize())


def _options(knob: Knob, backend: CatalogueBackendOut) -> tuple[tuple[str, str], ...]:
    if knob.name != "adapter" or not backend.adapters:
        return knob.options
    return tuple((key, said) for key, said in knob.options if key in backend.adapters)


def _otherwise(knob: Knob, backend: CatalogueBackendOut) -> str:
    if not backend.is_local:
        return ""
    return f"Left open: {knob.default}" + (f" ({knob.source})." if knob.source else ".")

"""How many tokens a run's files hold, counted as its model will."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from backends.protocol import Backend, KeepsModels
from backends.spec import DataFile, TrainingSpec
from estimator.errors import DatasetUnreadable, UnknownName
from estimator.tokens import DatasetCount, ExtraMissing, OpenTokeniser, Tokeniser, count_dataset, encoding_for
from estimator.tokens.encodings import encoding_named

_GUESSED_ENCODING: Final = "o200k_base"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataTokens:
    """Tokens of one pass over the training file, prompts included, and over the validation file.

    `counted_in`: the tokeniser; `note`: what it leaves out, or why a count is unknown.
    """

    per_epoch: int | None
    examples: int
    longest: int | None = None
    validation: int | None = None
    counted_in: str = ""
    note: str = ""


def count_tokens(spec: TrainingSpec) -> DataTokens:
    """Reads the files of a spec and counts them as its model would; in another encoding, and said so, where the model's
    tokeniser is not at hand.

    Raises `DatasetUnreadable` for a file that cannot be read.
    """
    tokeniser, note = _tokeniser_of(spec.model)

    def counted(file: DataFile) -> DatasetCount:
        return count_dataset(file.path, tokeniser=tokeniser, limit_tokens=spec.hyperparameters.max_length)

    train = counted(spec.train)
    if not train.tokens_per_epoch:
        note = f"rows in the format {spec.train.format} are not counted"
    return DataTokens(
        per_epoch=train.tokens_per_epoch or None, examples=spec.train.rows, counted_in=train.encoding, note=note,
        longest=train.distribution.longest if train.distribution else None,
        validation=counted(spec.validation).tokens_per_epoch if spec.validation else None,
    )  # fmt: skip


def at_its_folder(spec: TrainingSpec, backend: Backend) -> TrainingSpec:
    """The spec as what is predicted reads it: with the folder of its model where it lies on this machine, for there
    the tokeniser and the sizes of the model are known exactly."""
    folder = backend.model_folder(spec.model) if isinstance(backend, KeepsModels) else None
    return spec if folder is None else spec.model_copy(update={"model": str(folder)})


def tokenizer_file(model: str) -> Path:
    """Where a model that is a folder has its tokenizer."""
    return Path(model) / "tokenizer.json"


def _tokeniser_of(model: str) -> tuple[Tokeniser, str]:
    """The model's own, and what it leaves out: from its folder, or OpenAI's by name; else another, which is said."""
    if tokenizer_file(model).is_file():
        with suppress(ExtraMissing, DatasetUnreadable):
            found = OpenTokeniser.load(Path(model))
            return found, found.note
    try:
        return encoding_for(model), ""
    except UnknownName:
        note = f"the tokeniser of {model} is not at hand: counted in {_GUESSED_ENCODING}, an estimate"
        return encoding_named(_GUESSED_ENCODING), note

"""What comes in and goes out about sealed datasets and erasures."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator

from engagements.core.schemas import In, Line, Out, Text
from engagements.delivery.evidence import SplitName
from engagements.phases.data_preparation.records import Task
from engagements.phases.data_preparation.versions.models import ErasureState
from estimator.brief.fields import Name, refusal

Part = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
_WHOLE_BY: float = 1e-9


class Shares(In):
    """Of all examples, as far as groups allow; together they are 1."""

    train: Part = 0.76
    validation: Part = 0.12
    test: Part = 0.12

    @model_validator(mode="after")
    def _together_all(self) -> Self:
        total = self.train + self.validation + self.test
        if abs(total - 1) > _WHOLE_BY:
            message = f"the shares add up to {total:g}"
            raise refusal("fraction.out_of_range", message, "let train, validation and test add up to 1")
        if not self.train:
            raise refusal("fraction.out_of_range", "nothing is left to train on", "give train a share above 0")
        return self


class SealIn(In):
    """A dataset of every accepted example. Examples of the version before stay in their splits.

    `name`: `dataset@v` and its number where it is left out. `hold_out`: the share of groups that is kept for the test
    split as a whole, instead of `shares.test`.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "name": "tickets@v1", "note": "First version for gate 1.", "seed": 7, "task": "classification",
    }]})  # fmt: skip

    name: Line = ""
    note: Text = ""
    seed: Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)] = 7
    shares: Shares = Shares()
    hold_out: Annotated[float | None, Field(gt=0, lt=1, allow_inf_nan=False)] = None
    stratify: Annotated[bool, Field(strict=True)] = True
    task: Task | None = None


class SplitOut(Out):
    """`sha256`: of its JSON Lines as sealed. `erased`: examples that were taken out of them since."""

    name: SplitName
    examples: int
    sha256: str
    erased: int


class VersionOut(Out):
    """`sha256`: of the manifest, which names every example. `is_complete`: nothing was erased from it.

    `evidence_id`: what it stands for at gate 1; null where that could not be recorded.
    """

    id: str
    version: int
    engagement_id: str
    number: int
    name: str
    parent_id: str | None
    sha256: str
    policy: dict[str, Any]
    splits: tuple[SplitOut, ...]
    examples: int
    leakage: dict[str, Any]
    report: dict[str, Any]
    card_sha256: str
    evidence_id: str | None
    note: str
    erased: int
    is_complete: bool
    sealed_at: datetime
    sealed_by: str
    sealed_by_name: str


class CardOut(Out):
    """The datasheet as it was sealed. `sha256`: of its canonical JSON; `erased`: what has left the dataset since."""

    version_id: str
    name: str
    sha256: str
    erased: int
    content: dict[str, Any]


class IdsOut(Out):
    """How many, and the ids of the first hundred."""

    count: int
    first: tuple[str, ...]


class MovedOut(Out):
    """An example that was in one split and is in another."""

    record_id: str
    before: str
    after: str


class LabelShiftOut(Out):
    split: str
    label: str
    before: int
    after: int
    share_before: float | None
    share_after: float | None


class DiffOut(Out):
    """What is different in `after` from `before`. `moved`: how many; `moves`: the first hundred of them.

    `left_test`: how many of a test split are in another now; evaluations on the new one are not comparable then.
    """

    before: str
    after: str
    unchanged: int
    added: IdsOut
    removed: IdsOut
    edited: IdsOut
    moved: int
    moves: tuple[MovedOut, ...]
    left_test: int
    shifts: tuple[LabelShiftOut, ...]


class OpenIn(In):
    """`purpose`: which evaluation reads it; it stands in the trail."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"purpose": "Evaluation run eval-2026-11-23"}]})

    purpose: Name


class SealedReadOut(Out):
    """That somebody opened the sealed test split."""

    id: str
    version: int
    version_id: str
    purpose: str
    by: str
    by_name: str
    at: datetime


class OpenedSplitOut(Out):
    """`examples`: canonical records. `sha256`: of the split as sealed; `erased`: what has left it since."""

    read: SealedReadOut
    sha256: str
    erased: int
    examples: list[dict[str, Any]]


class UseOut(Out):
    """Evidence that rests on a dataset. `because`: whether it was trained on it, measured on its test split, or serves
    a model that was trained on it. `is_serving`: a deployment with traffic that nothing newer has replaced."""

    evidence_id: str
    kind: str
    name: str
    because: str
    is_serving: bool
    at: datetime


class VersionUseOut(Out):
    version_id: str
    number: int
    name: str
    split: SplitName | None
    uses: tuple[UseOut, ...]


class LineageEditOut(Out):
    number: int
    reason: str
    by_name: str
    at: datetime


class LineageReviewOut(Out):
    round_id: str
    reviewer_name: str
    decision: str
    corrected: bool
    at: datetime


class ExampleLineageOut(Out):
    """From an example back to the row it came from, and on to all that was made of it."""

    example_id: str
    record_id: str
    state: str
    state_reason: str
    sha256: str
    source_id: str
    source: str
    source_kind: str
    licence: str
    row_number: int
    made_from: str | None
    edits: tuple[LineageEditOut, ...]
    reviews: tuple[LineageReviewOut, ...]
    versions: tuple[VersionUseOut, ...]


class SourceShareOut(Out):
    source_id: str
    name: str
    kind: str
    licence: str
    examples: int


class VersionLineageOut(Out):
    """What a version was made of, and all that was made of it."""

    version_id: str
    name: str
    parent_id: str | None
    children: tuple[str, ...]
    sources: tuple[SourceShareOut, ...]
    reviewers: tuple[str, ...]
    uses: tuple[UseOut, ...]
    reads: int


class SearchIn(In):
    """Whom to forget: `texts` as they stand in the data (an e-mail address, a name, a customer's number), in any case,
    or ids of examples. What was searched for is not kept."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"texts": ["ana.brandt@example.com"]}]})

    texts: Annotated[tuple[Annotated[str, Field(min_length=3, max_length=200)], ...], Field(max_length=20)] = ()
    example_ids: Annotated[tuple[Annotated[str, Field(max_length=40)], ...], Field(max_length=1000)] = ()

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not any(text.strip() for text in self.texts) and not self.example_ids:
            raise refusal("field_missing", "nothing to look for is named", "name a text of three letters or an example")
        if any(len(text.strip()) < len("ana") for text in self.texts):
            raise refusal("text.too_short", "a text is shorter than three letters", "name more of it")
        return self


class ErasureIn(SearchIn):
    """`request`: the reference of the letter, never the person's own data."""

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "request": "Letter of 2026-11-20, file 4711", "texts": ["ana.brandt@example.com"],
    }]})  # fmt: skip

    request: Name
    note: Text = ""


class FoundVersionOut(Out):
    version_id: str
    name: str
    train: int
    validation: int
    test: int


class FoundSourceOut(Out):
    """`rows`: of the raw file, whether or not they became examples; 0 where it stands beside all rows that are read."""

    source_id: str
    name: str
    rows: int


class FoundOut(Out):
    """Where the person's data is. `uses`: runs and releases that have seen it, and must be retrained or retired.

    `uploads`: files that became no source. `checks`, `generations`: whose report, or whose kept answers, quote it.
    """

    examples: int
    sources: tuple[FoundSourceOut, ...]
    versions: tuple[FoundVersionOut, ...]
    uploads: int
    checks: int
    generations: int
    uses: tuple[UseOut, ...]

    @property
    def is_something(self) -> bool:
        return bool(self.examples or self.sources or self.versions or self.uploads or self.checks or self.generations)


class ErasureOut(Out):
    """`outstanding`: evidence ids of releases that still serve a model trained on what was erased."""

    id: str
    version: int
    engagement_id: str
    request: str
    note: str
    state: ErasureState
    found: FoundOut
    erased: bool
    outstanding: tuple[str, ...]
    by: str
    by_name: str
    at: datetime
    done_at: datetime | None


class SettleIn(In):
    """`retired`: evidence ids of releases that serve no more; `note`: how that can be seen."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"retired": [], "note": "Retrained as model v2."}]})

    retired: Annotated[tuple[Annotated[str, Field(max_length=40)], ...], Field(max_length=100)] = ()
    note: Text = ""

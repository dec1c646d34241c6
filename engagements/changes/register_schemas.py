"""What comes in and goes out about the register: risks, assumptions, issues, decisions."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from engagements.core.schemas import In, Line, Out, Text, absent
from engagements.delivery.models import RaidKind, RaidState
from engagements.delivery.schemas import MaybeDay
from estimator.brief.fields import Name, Prose

Level = Literal["", "low", "normal", "high"]
_WEIGHT: Final[Mapping[str, int]] = {"low": 1, "normal": 2, "high": 3}


def score_of(probability: str, impact: str) -> int | None:
    """Probability times impact, each from 1 to 3; None where either is not rated."""
    known = probability in _WEIGHT and impact in _WEIGHT
    return _WEIGHT[probability] * _WEIGHT[impact] if known else None


class Operator(StrEnum):
    ABOVE = "above"
    AT_LEAST = "at_least"
    BELOW = "below"
    AT_MOST = "at_most"


class Trigger(In):
    """What shows that an assumption is broken: true as soon as the measure stands like this to the value.

    `measure`: rounds_used, compute_percent (of its cap), input_late_days (working days), labelling_hours,
    labelling_cost (in the currency of the plan), or a number of evidence as its kind and place, such as
    `dataset_version.agreement.value`.
    """

    measure: Annotated[str, Field(pattern=r"^[a-z0-9_.]{1,100}$")]
    operator: Operator
    value: Annotated[float, Field(ge=-1e12, le=1e12, allow_inf_nan=False)]


def _blank_is_nothing(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


Owner = Annotated[str | None, Field(max_length=40), BeforeValidator(_blank_is_nothing)]


class ItemIn(In):
    """`owner_id`: somebody of the agency; `owner_name`: a role, or somebody of the client. A trigger is an
    assumption's."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"kind": "risk", "title": "The export comes late", "probability": "high"}]}
    )

    kind: RaidKind
    title: Name
    text: Text = ""
    probability: Level = ""
    impact: Level = ""
    response: Text = ""
    owner_id: Owner = None
    owner_name: Line = ""
    due: MaybeDay = None
    trigger: Trigger | None = None
    client_sees: bool = False


class ItemPatch(In):
    """`owner_id`, `due` and `trigger` may be null for nobody, no day and none."""

    title: Name = absent()
    text: Text = absent()
    probability: Level = absent()
    impact: Level = absent()
    response: Text = absent()
    owner_id: Owner = None
    owner_name: Line = absent()
    due: MaybeDay = None
    trigger: Trigger | None = None
    client_sees: bool = absent()


class OutcomeIn(In):
    """How it ended, or what showed it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"outcome": "The pilot took 9 minutes an example."}]})

    outcome: Prose


class ItemOut(Out):
    """`score`: probability times impact, 1 to 9; null where either is not rated. For clients what is ours is null."""

    id: str
    version: int
    engagement_id: str
    kind: RaidKind
    code: str
    title: str
    text: str
    probability: str
    impact: str
    score: int | None
    response: str
    owner_id: str | None
    owner_name: str
    due: date | None
    trigger: Trigger | None
    client_sees: bool
    state: RaidState
    outcome: str
    change_id: str | None
    created_at: datetime
    changed_at: datetime


class RegisterOut(Out):
    """The gravest first within each kind; what has ended last."""

    items: list[ItemOut]

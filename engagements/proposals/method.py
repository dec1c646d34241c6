"""The words of our method: phases, deliverables, responsibilities, risks, rights. Data in `method.toml`."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from estimator.phases import Phase

_FILE: Final = Path(__file__).with_name("method.toml")
STANDARD_TERMS: Final = Path(__file__).with_name("terms.txt")

Words = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PhaseWords(_Part):
    id: Phase
    goal: Words
    activities: tuple[Words, ...]
    client_input: Words
    gate: Words
    criteria: tuple[Words, ...]
    cosigned: bool = False
    exclusion_what: Words
    exclusion_why: Words


class DeliverableWords(_Part):
    id: Words
    phase: Phase
    name: Words
    format: Words
    acceptance: Words
    reviewer: Words


class RaciWords(_Part):
    activity: Words
    values: tuple[Words, ...]


class Responsibilities(_Part):
    roles: tuple[Words, ...]
    rows: tuple[RaciWords, ...]


class RiskWords(_Part):
    what: Words
    probability: Words
    impact: Words
    mitigation: Words
    owner: Words


class AssetWords(_Part):
    name: Words
    owner: Words
    note: Words


class Privacy(_Part):
    location: Words
    retention: Words
    training_on_data: Words
    agreement: Words


class Regulatory(_Part):
    risk_class: Words
    modifier: Words
    documents: Words


class Warranty(_Part):
    covers: Words
    not_covered: Words


class Change(_Part):
    procedure: Words


class Authority(_Part):
    statement: Words
    consent: Words


class Method(_Part):
    """Everything a proposal says whoever the client is."""

    phase: tuple[PhaseWords, ...]
    deliverable: tuple[DeliverableWords, ...]
    raci: Responsibilities
    risk: tuple[RiskWords, ...]
    asset: tuple[AssetWords, ...]
    role_names: Mapping[str, Words]
    privacy: Privacy
    regulatory: Regulatory
    warranty: Warranty
    change: Change
    authority: Authority

    def of(self, phase: Phase) -> PhaseWords:
        return next(words for words in self.phase if words.id is phase)

    def role(self, role: str) -> str:
        """A role's name as a client reads it."""
        return self.role_names.get(role, role.replace("_", " ").capitalize())


@cache
def method() -> Method:
    return Method.model_validate(tomllib.loads(_FILE.read_text("utf-8")))

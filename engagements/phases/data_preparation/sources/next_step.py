"""What is to be done next with the data of an engagement: the one thing that the rest waits for."""

from collections.abc import Sequence
from dataclasses import dataclass

from engagements.phases.data_preparation.models import SourceState
from engagements.phases.data_preparation.pool.schemas import StandingOut
from engagements.phases.data_preparation.sources.schemas import SourceOut


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    said: str
    address: str


def next_step(engagement_id: str, sources: Sequence[SourceOut], standing: StandingOut) -> Step | None:
    """None where nothing has come yet, and where all that came is sealed."""
    home, states = f"/engagements/{engagement_id}", standing.states
    waiting = next((source for source in sources if source.state is SourceState.NEW), None)
    if waiting is not None:
        return Step(
            said=f"say what the columns of {waiting.name} are, and import it", address=f"/data-sources/{waiting.id}"
        )
    if not standing.in_pool:
        return None
    if standing.checked is None:
        return Step(said="check the pool", address=f"{home}/data/checks")
    if standing.personal_data and standing.acknowledged_by is None:
        return Step(said="answer for the personal data that was found", address=f"{home}/data/checks")
    if states.get("pending"):
        return Step(said=f"review the {states['pending']:,} examples that wait for it", address=f"{home}/review")
    if states.get("accepted") and not standing.sealed:
        return Step(said="seal a dataset of what is accepted", address=f"{home}/datasets")
    return None

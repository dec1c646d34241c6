"""The job that draws a learning curve: it trains on parts of the accepted examples and scores the rest.

Examples of sealed test splits take no part, and what belongs together is on one side: copies, customers, and what was
generated with its seed.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from sqlmodel import Session, col, select

from engagements.phases.data_preparation.jobs.context import JobContext
from engagements.phases.data_preparation.models import Example, ExampleState
from engagements.phases.data_preparation.records import Record, record_of
from engagements.phases.data_preparation.splitting.dividing import divide
from engagements.phases.data_preparation.splitting.learning_curve import learning_curve
from engagements.phases.data_preparation.splitting.material import Material
from engagements.phases.data_preparation.splitting.policy import Shares, Split, SplitPolicy
from engagements.phases.data_preparation.synthesis import seeds

_SEED: Final = 7
_SHARES: Final = Shares(train=0.8, validation=0.2, test=0.0)


def draw_curve(context: JobContext) -> Mapping[str, Any]:
    """The curve as JSON, with how many examples it rests on."""
    context.progress("reading the accepted examples")
    with context.store.read() as session:
        records = _records(session, context.job.engagement_id)
    division = divide(Material.of(records), SplitPolicy(seed=_SEED, shares=_SHARES), tell=context.progress)
    train, validation = ([records[row] for row in division.rows_of(each)] for each in (Split.TRAIN, Split.VALIDATION))
    context.progress("training on an eighth, a quarter, a half and all")
    drawn = learning_curve(train, validation, seed=_SEED)
    return {"examples": len(records), "validation": len(validation), **drawn.as_json()}


def _records(session: Session, engagement_id: str) -> list[Record]:
    """Accepted ones with a label, in the order in which they came."""
    sealed = seeds.sealed_ids(session, engagement_id)
    chosen = select(Example.id, Example.payload).where(
        col(Example.engagement_id) == engagement_id, col(Example.state) == ExampleState.ACCEPTED,
        col(Example.label).is_not(None),
    )  # fmt: skip
    rows = session.exec(chosen.order_by(col(Example.id)))
    return [record_of(json.loads(payload)) for example_id, payload in rows if example_id not in sealed]

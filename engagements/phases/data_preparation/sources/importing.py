"""The job that makes examples of the rows of a source. It can be begun again from its beginning at any time.

Examples are written in batches, set aside until all of them are there, and then become part of the pool together with
the account of the rows: nobody reviews or checks half a source.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final

import orjson
from sqlalchemy import insert, update
from sqlmodel import Session, col, select

from engagements.core import audit
from engagements.core.leases import LeaseLost
from engagements.db.columns import numbered_id
from engagements.phases.data_preparation.collecting.findings import FileUnreadable
from engagements.phases.data_preparation.collecting.importing import Import, RowAccount
from engagements.phases.data_preparation.jobs.context import Cancelled, JobContext
from engagements.phases.data_preparation.models import DataSource, Example, ExampleState, SourceState
from engagements.phases.data_preparation.records import Record
from engagements.phases.data_preparation.sources.reading import imported, problem_json
from engagements.phases.data_preparation.sources.service import drop_examples
from estimator.errors import EstimatorError, Problem, Severity

BATCH: Final = 1_000
SET_ASIDE: Final = "importing"
"""The reason why examples of a source that is being imported are excluded."""
_ID_MAX: Final = 200
_KEY_MAX: Final = 400


@dataclass(kw_only=True)
class _Far:
    """How many bytes of the file are read; of a table that is no text, nobody knows."""

    done: int = 0
    total: int | None = None

    def reach(self, context: JobContext, done: int, total: int) -> None:
        self.done, self.total = done, total
        self.tell(context)

    def tell(self, context: JobContext) -> None:
        context.progress("Making examples", self.done, self.total)


def import_source(context: JobContext) -> Mapping[str, Any]:
    """Raises what the reader of the file raises; then nothing of it is in the pool, and the source says why."""
    source = source_of(context)
    with put_away(context, source.id):
        context.progress("Reading the file")
        with context.write() as session:
            drop_examples(session, source.id)
        far = _Far()
        with imported(context.storage, source, lambda done, total: far.reach(context, done, total)) as records:
            kept = _write(context, source, iter(records), far)
            account = records.account
            if of_the_file := tuple(_of_the_file(account)):
                raise FileUnreadable(*of_the_file)
            if not kept and account.problems:
                # Failed, so that how it is read can be corrected and tried again.
                raise FileUnreadable(*account.problems)
            context.progress("Putting them into the pool", kept)
            with context.write() as session:
                _join_the_pool(session, context, source.id, records)
    return {"source_id": source.id, "rows_in": account.rows_in, "kept": kept}


def _of_the_file(account: RowAccount) -> Iterator[Problem]:
    """What is wrong with the file as a whole: half of it is not taken for all of it."""
    return (each for each in account.problems if each.severity is Severity.ERROR and each.code not in account.dropped)


def source_of(context: JobContext) -> DataSource:
    """The source that the job is about, as it stands."""
    with context.store.read() as session:
        row = session.get_one(DataSource, context.job.subject_id)
        session.expunge(row)
        return row


def example_rows(
    session: Session, source: DataSource, records: Sequence[tuple[int, Record]], *, state: ExampleState, reason: str,
    at: datetime,
) -> list[dict[str, Any]]:  # fmt: skip
    """Rows of `Example` for numbered records, each with an id that nobody else in the engagement has."""
    ids = [record.id[:_ID_MAX] for _, record in records]
    taken = set(session.exec(select(Example.record_id).where(
        col(Example.engagement_id) == source.engagement_id, col(Example.record_id).in_(ids),
    )).all())  # fmt: skip
    return [
        _row(source, number, record if given not in taken else record.replaced(id=_other(given, source.id)))
        | {"state": state, "state_reason": reason, "created_at": at, "changed_at": at}
        for given, (number, record) in zip(ids, records, strict=True)
    ]


def _row(source: DataSource, number: int, record: Record) -> dict[str, Any]:
    fitting = record if len(record.id) <= _ID_MAX else record.replaced(id=record.id[:_ID_MAX])
    return {
        "id": numbered_id(Example.PREFIX, source.id, number), "organisation_id": source.organisation_id,
        "engagement_id": source.engagement_id, "client_id": source.client_id, "source_id": source.id,
        "row_number": number, "record_id": fitting.id, "sha256": record.content_sha256,
        "payload": orjson.dumps(fitting.as_json()).decode(), "label": _key(record.label),
        "group_key": _key(record.group), "findings": [], "is_edited": False, "version": 1,
    }  # fmt: skip


def _other(record_id: str, source_id: str) -> str:
    """Two sources may use the same ids: the later one's carry the end of its own."""
    return f"{record_id[: _ID_MAX - 7]}#{source_id[-6:]}"


def _key(text: str | None) -> str | None:
    return None if text is None else text.replace("\0", "")[:_KEY_MAX]


def _write(context: JobContext, source: DataSource, records: Iterator[Record], far: _Far) -> int:
    kept, at = 0, context.clock.now()
    while batch := list(islice(records, BATCH)):
        with context.write() as session:
            numbered = list(enumerate(batch, start=kept + 1))
            rows = example_rows(session, source, numbered, state=ExampleState.EXCLUDED, reason=SET_ASIDE, at=at)
            session.execute(insert(Example), rows)
        kept += len(batch)
        far.tell(context)
    return kept


def _join_the_pool(session: Session, context: JobContext, source_id: str, records: Import) -> None:
    session.execute(
        update(Example).where(col(Example.source_id) == source_id, col(Example.state_reason) == SET_ASIDE)
        .values(state=ExampleState.PENDING, state_reason="")
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    row, account = session.get_one(DataSource, source_id), records.account
    row.state, row.changed_at = SourceState.IMPORTED, context.clock.now()
    row.mapping, row.format, row.encoding = (
        records.mapping.to_json(),
        records.table.format.value,
        records.table.encoding,
    )
    row.rows_in, row.kept, row.dropped = account.rows_in, account.kept, dict(account.dropped)
    row.problems = [problem_json(each) for each in account.problems]
    audit.record(session, context.actor, "data_source.imported", row, at=context.clock.now())


@contextmanager
def put_away(context: JobContext, source_id: str) -> Iterator[None]:
    """What was made of a source is taken away again where the work on it ends otherwise than well."""
    try:
        yield
    except LeaseLost:
        raise
    except Cancelled:
        _give_up(context, source_id, SourceState.CANCELLED)
        raise
    except EstimatorError as error:
        _give_up(context, source_id, SourceState.FAILED, error.problems)
        raise
    except Exception:
        _give_up(context, source_id, SourceState.FAILED)
        raise


def _give_up(context: JobContext, source_id: str, state: SourceState, problems: Sequence[Problem] = ()) -> None:
    with context.write() as session:
        drop_examples(session, source_id)
        row = session.get_one(DataSource, source_id)
        row.state, row.changed_at, row.rows_in, row.kept, row.dropped = state, context.clock.now(), 0, 0, {}
        row.problems = [problem_json(each) for each in problems]
        audit.record(session, context.actor, f"data_source.{state.value}", row, at=context.clock.now())

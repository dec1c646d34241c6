"""Every model that can be trained: what the price book knows of it, and which backends set up here take it."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, Final

from engagements.core.errors import Invalid, NotConfigured
from engagements.phases.training.catalogue_schemas import CatalogueBackendOut, CatalogueModelOut, CatalogueOut
from engagements.phases.training.trainers import Trainers
from estimator.errors import UnknownName
from estimator.hardware.models import find_model
from estimator.prices import InferencePrice, PriceBook, TrainingPrice

_TUNED: Final = "tuned"
_BASE: Final = "base"


def catalogue_of(trainers: Trainers, book: PriceBook, *, today: date) -> CatalogueOut:
    """Backends by name; models by provider and name. A backend that cannot be made is there with its problem."""
    return CatalogueOut(
        backends=[_backend(trainers, name) for name in trainers.names],
        models=[_model(row, trainers, book, today) for row in _rows(book)],
    )


def takes_new_jobs(row: TrainingPrice, today: date) -> bool:
    """The boundary day belongs to the vendor: on it a job is refused."""
    until = row.new_jobs_until
    is_open = until is None or (until != "closed" and today < until)
    return is_open and (row.shutdown is None or today < row.shutdown)


def _rows(book: PriceBook) -> Iterator[TrainingPrice]:
    rows = book.table(TrainingPrice)
    yield from sorted(rows, key=lambda row: (row.provider, row.model.lower(), row.tuning))


def _backend(trainers: Trainers, name: str) -> CatalogueBackendOut:
    said = trainers.said(name)
    known: dict[str, Any] = {
        "name": name,
        "kind": said.kind,
        "provider": said.provider,
        "gpu": said.gpu,
        "at_once": said.at_once,
    }
    try:
        able = trainers.named(name).capabilities
    except (Invalid, NotConfigured) as error:
        return CatalogueBackendOut(
            **known, methods=[], adapters=[], hyperparameters=[], formats={}, can_pause=False,
            is_local=not said.provider, problem=error.message,
        )  # fmt: skip
    return CatalogueBackendOut(
        **known, methods=sorted(able.methods), adapters=sorted(able.adapters),
        hyperparameters=sorted(able.hyperparameters), can_pause=able.pausable, is_local=able.local, problem="",
        formats={method.value: form for method, form in able.data_format.items()},
    )  # fmt: skip


def _model(row: TrainingPrice, trainers: Trainers, book: PriceBook, today: date) -> CatalogueModelOut:
    served = _served(book, row)
    return CatalogueModelOut(
        provider=row.provider, model=row.model, aliases=list(row.aliases), objectives=list(row.objectives),
        tuning=row.tuning.value, training_usd=_text(row.usd), training_unit=row.unit,
        input_usd_mtok=_text(served.input) if served else None,
        output_usd_mtok=_text(served.output) if served else None,
        max_example_tokens=row.max_example_tokens, licence=_licence(row.model), new_jobs_until=_day(row),
        takes_new_jobs=takes_new_jobs(row, today), shutdown=row.shutdown, as_of=row.as_of, source=row.source,
        backends=[name for name in trainers.names if trainers.said(name).provider == row.provider],
    )  # fmt: skip


def _served(book: PriceBook, row: TrainingPrice) -> InferencePrice | None:
    """What asking the tuned model costs; the base model where tuned ones are asked at its price."""
    found = (book.inference(provider=row.provider, model=row.model, variant=each) for each in (_TUNED, _BASE))
    return next((each for each in found if each is not None), None)


def _licence(name: str) -> str | None:
    """Of an open model's weights; None where they are nobody's to have, or we know no licence."""
    try:
        return find_model(name).licence or None
    except UnknownName:
        return None


def _day(row: TrainingPrice) -> date | None:
    return row.new_jobs_until if isinstance(row.new_jobs_until, date) else None


def _text(amount: Decimal | None) -> str | None:
    return f"{amount:f}" if amount is not None else None

"""The price book: every dated price we know, read from data files, never from the network.

A file holds one provider's rows (or GPU offers, or rates); a later file adds rows or replaces the row of the same
identity. So an agency keeps its own rates and its own contract prices beside ours without touching them.
"""

import hashlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Final, TypeVar, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from estimator.errors import PriceBookInvalid, Problem, UnknownName
from estimator.prices.rows import (
    GpuOffer,
    InferencePrice,
    Objective,
    ProviderTerms,
    RoleRate,
    Row,
    TrainingPrice,
    Tuning,
)

_ROWS: Final[tuple[type[Row], ...]] = (TrainingPrice, InferencePrice, GpuOffer, RoleRate)
_BYTES_MAX: Final = 4_000_000
_HEAD: Final = {"provider", "name", "note", "access", "checked", "billing", "defaults", "currency"}

R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBook:
    """All rows by table and identity, the terms of each provider, and the digest of the files they came from."""

    rows: Mapping[str, Mapping[tuple[str, ...], Row]]
    terms: Mapping[str, ProviderTerms]
    digest: str

    @classmethod
    def load(cls, *files: Path) -> "PriceBook":
        """The packaged book with `files` laid over it. Raises `PriceBookInvalid` with everything wrong in them."""
        packaged = resources.files("estimator.prices") / "book"
        texts = {entry.name: entry.read_text("utf-8") for entry in packaged.iterdir() if entry.name.endswith(".toml")}
        problems: list[Problem] = []
        own = {str(file): _read(file, problems) for file in files}
        return _assembled({name: texts[name] for name in sorted(texts)} | own, problems)

    def table(self, row_type: type[R]) -> list[R]:
        """All rows of one table."""
        return [cast("R", row) for row in self.rows[row_type.table].values()]

    def __iter__(self) -> Iterator[Row]:
        for table in self.rows.values():
            yield from table.values()

    def stale(self, on: date) -> list[Row]:
        return [row for row in self if row.is_stale(on)]

    def providers(self) -> list[str]:
        return sorted({row.provider for row in self.table(TrainingPrice)})

    def terms_of(self, provider: str) -> ProviderTerms:
        """How a provider bills. Raises `UnknownName`."""
        if provider not in self.terms:
            raise UnknownName("provider", provider, known=self.terms, add="add a price file that says how it bills")
        return self.terms[provider]

    def training(
        self, *, provider: str, model: str, objective: Objective, tuning: Tuning, params_b: Decimal | None = None
    ) -> TrainingPrice | None:
        """The row that prices this job: the model's own before a band that holds its size; None if there is none.

        A band is matched on `params_b`, the model's nominal size in billions; a size between two bands pays the
        next larger one. A provider that does not say how it tunes (`hosted`) matches every tuning, after
        the one that was asked for; a row with a price stands before one without.
        """
        self.terms_of(provider)
        fitting = [
            row
            for row in self.table(TrainingPrice)
            if row.provider == provider and objective in row.objectives and row.tuning in {tuning, Tuning.HOSTED}
        ]
        own = [row for row in fitting if not row.is_band and _names(row.model, row.aliases, model)]
        if own or params_b is None:
            return min(own, key=lambda row: (row.usd is None, row.tuning is Tuning.HOSTED), default=None)
        bands = [row for row in fitting if row.is_band and (row.holds(params_b) or _starts_above(row, params_b))]
        return min(bands, key=lambda row: row.params_b_min or Decimal(0), default=None)

    def inference(self, *, provider: str, model: str, variant: str) -> InferencePrice | None:
        """Per-token rates of a model, or None where no row has them."""
        for row in self.table(InferencePrice):
            if row.provider == provider and row.variant == variant and _names(row.model, row.aliases, model):
                return row
        return None

    def offers(self, *, gpu: str = "", provider: str = "") -> list[GpuOffer]:
        """On-demand offers, cheapest first; of one GPU (as the offers spell it), of one provider, where named."""
        offers = [
            offer
            for offer in self.table(GpuOffer)
            if gpu in {"", offer.gpu} and provider.lower() in offer.provider.lower()
        ]
        return sorted(offers, key=lambda offer: (offer.on_demand_usd_per_h, offer.provider, offer.instance))

    def rates(self) -> dict[str, RoleRate]:
        return {rate.role: rate for rate in self.table(RoleRate)}


def read_book(texts: Mapping[str, str]) -> PriceBook:
    """A book from the text of its files, in order. Raises `PriceBookInvalid` with all problems of all files."""
    return _assembled(texts, [])


def _assembled(texts: Mapping[str, str], problems: list[Problem]) -> PriceBook:
    rows: dict[str, dict[tuple[str, ...], Row]] = {row_type.table: {} for row_type in _ROWS}
    terms: dict[str, ProviderTerms] = {}
    for name, text in texts.items():
        try:
            data = tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            problems.append(Problem(code="toml_invalid", where=name, message=str(error), remedy="mend the TOML"))
            continue
        problems += _unknown_tables(name, data)
        for row in _read_rows(name, data, problems):
            rows[row.table][row.identity] = row
        if "provider" in data and "billing" in data:
            terms.update(_read_terms(name, data, problems))
    if problems:
        raise PriceBookInvalid(*problems)
    digest = hashlib.sha256("\0".join(texts.values()).encode()).hexdigest()
    return PriceBook(rows=rows, terms=terms, digest=digest)


def _read(file: Path, problems: list[Problem]) -> str:
    """The text of a file; none, and one problem more, where it cannot be had."""
    remedy = "name a UTF-8 TOML file of prices"
    try:
        with file.open("rb") as opened:
            raw = opened.read(_BYTES_MAX + 1)
        text = raw.decode("utf-8")
        if len(raw) <= _BYTES_MAX:
            return text
        message = f"has more than {_BYTES_MAX:,} bytes"
    except (OSError, UnicodeDecodeError) as error:
        message = f"cannot be read: {error}"
    problems.append(Problem(code="price_file_unreadable", where=str(file), message=message, remedy=remedy))
    return ""


def _read_rows(name: str, data: Mapping[str, object], problems: list[Problem]) -> Iterator[Row]:
    defaults = _section(data, "defaults")
    shared = {key: data[key] for key in ("checked",) if key in data} | defaults
    for row_type in _ROWS:
        entries = data.get(row_type.table, [])
        for number, entry in enumerate(entries if isinstance(entries, list) else [entries], start=1):
            where = f"{name}: {row_type.table}[{number}]"
            fields = {key: value for key, value in shared.items() if key in row_type.model_fields}
            for key in ("provider", "currency"):
                if key in data and key in row_type.model_fields:
                    fields[key] = data[key]
            if isinstance(entry, dict):
                fields |= entry
            yield from _validated(row_type, fields, where, problems)


def _read_terms(name: str, data: Mapping[str, object], problems: list[Problem]) -> dict[str, ProviderTerms]:
    head = {key: data[key] for key in ("provider", "name", "note", "access") if key in data}
    dated = {key: value for key, value in _section(data, "defaults").items() if key in {"as_of", "source"}}
    fields = head | dated | _section(data, "billing")
    read = _validated(ProviderTerms, fields, f"{name}: [billing]", problems)
    return {terms.provider: terms for terms in read}


V = TypeVar("V", bound=BaseModel)


def _validated(kind: type[V], fields: Mapping[str, object], where: str, problems: list[Problem]) -> list[V]:
    try:
        return [kind.model_validate(fields)]
    except ValidationError as error:
        problems += [_row_problem(kind, fault, where) for fault in error.errors()]
        return []


def _row_problem(kind: type[BaseModel], fault: ErrorDetails, where: str) -> Problem:
    place = ".".join(str(part) for part in fault["loc"])
    message, remedy = fault["msg"].removeprefix("Value error, "), "see `sixfold prices --json` for the fields of a row"
    match fault["type"]:
        case "missing":
            message, remedy = f"{place} is needed and missing", "add it"
        case "extra_forbidden":
            near = get_close_matches(place, kind.model_fields, n=1)
            message = f"nothing in a row is called {place!r}"
            remedy = f"did you mean {near[0]}? otherwise remove it" if near else "remove it"
        case _ if place:
            message = f"{place}: {message}"
    return Problem(code="price_row_invalid", where=where, message=message, remedy=remedy)


def _unknown_tables(name: str, data: Mapping[str, object]) -> list[Problem]:
    known = _HEAD | {row_type.table for row_type in _ROWS}
    return [
        Problem(
            code="unknown_field",
            where=name,
            message=f"nothing is called {key!r} in a price file",
            remedy=f"use one of {', '.join(sorted(known))}",
        )
        for key in data
        if key not in known
    ]


def _section(data: Mapping[str, object], key: str) -> dict[str, object]:
    section = data.get(key, {})
    return dict(section) if isinstance(section, dict) else {}


def _names(model: str, aliases: Iterable[str], asked: str) -> bool:
    return _bare(asked) in {_bare(model), *map(_bare, aliases)}


def _bare(model: str) -> str:
    """A model's name without the organisation, case and the suffix that only says it follows instructions."""
    name = model.lower().rpartition("/")[2]
    return name.removesuffix("-instruct").removesuffix("-it")


def _starts_above(row: TrainingPrice, params_b: Decimal) -> bool:
    return row.params_b_min is not None and row.params_b_min > params_b

"""A dataset in a folder, as `sixfold data prepare` and `split` write it: what is in it, what it says of itself. Pure.

Only files are read; the report may be missing or of other files, and then what only it knows is unknown.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from engagements.phases.data_preparation.preparing.facts import DatasheetFacts, SourceFact, SplitFact
from engagements.phases.data_preparation.preparing.reported import reported_facts
from engagements.phases.data_preparation.records import Origin, Provenance, Record, record_of
from engagements.phases.data_preparation.splitting.policy import SPLITS, Split
from engagements.phases.data_preparation.versions.diffing import Side, Standing
from estimator.errors import EstimatorError, Problem

_LISTED: Final = 100
_REPORTS: Final = ("report.json", "split.json")


class FolderUnreadable(EstimatorError):
    """No dataset lies there, or lines of it are no records; lists all, a hundred at most."""

    code = "dataset_unreadable"


@dataclass(kw_only=True)
class _Read:
    """One split, counted."""

    sha256: str = ""
    examples: dict[str, str] = field(default_factory=dict)
    labels: Counter[str] = field(default_factory=Counter)
    origins: Counter[Origin] = field(default_factory=Counter)


@dataclass(frozen=True, kw_only=True)
class Folder:
    """`splits`: those whose files are there. `report`: what was reported of these very files, {} if nothing."""

    path: Path
    splits: Mapping[Split, _Read]
    report: Mapping[str, Any]


def read_folder(path: Path) -> Folder:
    """Raises `FolderUnreadable`."""
    problems: list[Problem] = []
    splits = {split: _split(file, problems) for split in SPLITS if (file := path / f"{split.value}.jsonl").is_file()}
    if not splits:
        message = "none of train.jsonl, validation.jsonl and test.jsonl is there"
        problems.append(_problem(path, message, remedy="name a folder that `sixfold data prepare -o` wrote"))
    twice = [
        name for name, count in Counter(name for read in splits.values() for name in read.examples).items() if count > 1
    ]
    if twice:
        message = f"{len(twice):,} ids stand in two splits, {twice[0]!r} first"
        problems.append(_problem(path, message, remedy="give every record an id of its own"))
    report = _report_on(path, splits, problems)
    if problems:
        raise FolderUnreadable(*problems[:_LISTED])
    return Folder(path=path, splits=splits, report=report)


def side_of(folder: Folder) -> Side:
    """The folder as one side of a difference."""
    return Side(
        name=str(folder.path),
        examples={
            name: Standing(sha256=sha256, split=split.value)
            for split, read in folder.splits.items()
            for name, sha256 in read.examples.items()
        },
        labels={split.value: dict(read.labels.most_common()) for split, read in folder.splits.items()},
    )


def facts_of(folder: Folder, *, made_on: str) -> DatasheetFacts:
    """What its datasheet may know. `made_on`: the day on which its files were written."""
    splits = tuple(
        SplitFact(name=split.value, examples=len(read.examples), sha256=read.sha256, labels=dict(read.labels))
        for split, read in folder.splits.items()
    )
    return reported_facts(
        folder.report, name=folder.path.resolve().name, sha256=folder.report.get("digest") or _digest(folder),
        made_on=made_on, splits=splits, sources=tuple(_sources(folder)),
    )  # fmt: skip


def _split(file: Path, problems: list[Problem]) -> _Read:
    read, digest = _Read(), hashlib.sha256()
    for number, line in enumerate(_lines(file, problems), start=1):
        digest.update(line)
        try:
            record = record_of(orjson.loads(line))
            sha256 = record.content_sha256
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            problems.append(_problem(file, f"no record: {error}", remedy="write it as prepare does", line=number))
            continue
        if record.id in read.examples:
            remedy = "give it an id of its own"
            problems.append(_problem(file, f"{record.id!r} stands twice", remedy=remedy, line=number))
        _count(read, record, sha256)
    read.sha256 = digest.hexdigest()
    return read


def _lines(file: Path, problems: list[Problem]) -> Iterator[bytes]:
    try:
        with file.open("rb") as lines:
            yield from lines
    except OSError as error:
        problems.append(_problem(file, f"cannot be read: {error.strerror}", remedy="name a folder that can be read"))


def _count(read: _Read, record: Record, sha256: str) -> None:
    read.examples[record.id] = sha256
    if record.label is not None:
        read.labels[record.label] += 1
    read.origins[Origin(
        kind=record.origin.kind, source=record.origin.source, author=record.origin.author,
        licence=record.origin.licence,
    )] += 1  # fmt: skip


def _report_on(path: Path, splits: Mapping[Split, _Read], problems: list[Problem]) -> Mapping[str, Any]:
    digests = {split.value: read.sha256 for split, read in splits.items()}
    for name in _REPORTS:
        report = _report(path / name, problems)
        if {split: said.get("sha256") for split, said in report.get("splits", {}).items()} == digests:
            return report
    return {}


def _report(file: Path, problems: list[Problem]) -> Mapping[str, Any]:
    if not file.is_file():
        return {}
    try:
        report = orjson.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        problems.append(_problem(file, f"cannot be read: {error}", remedy="prepare the files anew, or remove it"))
        return {}
    if not isinstance(report, dict):
        problems.append(_problem(file, "no report", remedy="prepare the files anew, or remove it"))
        return {}
    return report


def _sources(folder: Folder) -> Iterator[SourceFact]:
    counts: Counter[Origin] = Counter()
    for read in folder.splits.values():
        counts.update(read.origins)
    rows = {source["name"]: source for source in folder.report.get("sources", ())}
    for origin, examples in counts.items():
        account = rows.get(origin.source, {})
        generated = origin.kind is Provenance.SYNTHETIC
        yield SourceFact(
            name=origin.source or "unknown", kind=origin.kind, examples=examples, licence=origin.licence,
            author="" if generated else origin.author, generator=origin.author if generated else "",
            rows_in=account.get("rows_in"), kept=account.get("kept"),
        )  # fmt: skip


def _digest(folder: Folder) -> str:
    parts = "\n".join(f"{split} {read.sha256}" for split, read in folder.splits.items())
    return hashlib.sha256(parts.encode()).hexdigest()


def _problem(path: Path, message: str, *, remedy: str, line: int | None = None) -> Problem:
    return Problem(code=FolderUnreadable.code, where=str(path), message=message, remedy=remedy, line=line)

"""What is known of the records while they go by: what was found in them, what they repeat, and what is left out."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engagements.phases.data_preparation.checks.findings import Finding
from engagements.phases.data_preparation.checks.set_check import SetCheck
from engagements.phases.data_preparation.collecting.importing import Import
from engagements.phases.data_preparation.deduplication.exact import ExactIndex, Repeat, Repeated
from engagements.phases.data_preparation.deduplication.meaning import says_something_else
from engagements.phases.data_preparation.preparing.examining import Examined
from engagements.phases.data_preparation.preparing.options import NearDuplicates, PrepareOptions
from engagements.phases.data_preparation.preparing.prepared import Listing, Prepared, SourceAccount
from engagements.phases.data_preparation.preparing.spool import Spool, TextSpool
from engagements.phases.data_preparation.records import Record
from engagements.phases.data_preparation.splitting.dividing import Division
from engagements.phases.data_preparation.splitting.material import Material
from engagements.phases.data_preparation.splitting.policy import SPLITS
from estimator.errors import Problem, Severity

_LEFT_OUT_AS_COPY: Final = -2
_SHARE_OFF: Final = 0.03


class Gathered:
    """What is known of the records while they go by."""

    def __init__(self, options: PrepareOptions, until_done: ExitStack) -> None:
        self.options = options
        self.rows = 0
        self.problems = Listing()
        self.lines, texts = until_done.enter_context(Spool()), until_done.enter_context(TextSpool())
        self.material = Material(texts=texts)
        self._check = SetCheck(options.check)
        self._exact = ExactIndex()
        self._row_of: list[int] = []
        self._dropped: Counter[str] = Counter()
        self._repeats: Counter[Repeat] = Counter()
        self._duplicates: list[tuple[str, str]] = []
        self._conflicts: list[tuple[str, str]] = []
        self._origins: Counter[tuple[str, ...]] = Counter()
        self._sources: list[SourceAccount] = []
        self._until_done = until_done

    @property
    def rows_in(self) -> int:
        """Of the files that were accounted for."""
        return sum(each.rows_in for each in self._sources)

    def take(self, each: Examined) -> None:
        self.rows += 1
        self._check.add(each.record, each.findings, question=each.compared.fingerprint.question)
        for finding in each.findings:
            self.problems.add(_problem(each.record, finding))
        errors = [finding for finding in each.findings if finding.severity is Severity.ERROR]
        self._row_of.append(self._refuse(errors[0]) if errors else self._keep(each))

    def _refuse(self, error: Finding) -> int:
        self._dropped[error.code] += 1
        return -1

    def _keep(self, each: Examined) -> int:
        """The row that it became, or that it repeats."""
        row = len(self.material)
        repeated = self._exact.add(row, each.compared.fingerprint)
        if repeated is not None:
            self._note(repeated, each.record)
            if repeated.kind is not Repeat.CONFLICT:
                return repeated.first
        self.material.add(each.record, each.compared)
        self.lines.append(each.line)
        origin = each.record.origin
        self._origins[origin.source, origin.kind.value, origin.author, origin.licence] += 1
        return row

    def _note(self, repeated: Repeated, record: Record) -> None:
        self._repeats[repeated.kind] += 1
        first = self.material.ids[repeated.first]
        if repeated.kind is Repeat.CONFLICT:
            self._conflicts.append((record.id, first))
            message = f"{record.id} and {first} ask the same and are answered differently"
            remedy = "decide which answer is right; both are kept, in one split"
            self.problems.add(_of_record(record, "label_conflict", message, remedy))
            return
        self._dropped[f"duplicate_{repeated.kind}"] += 1
        self._duplicates.append((record.id, first))

    def account(self, opened: Import) -> None:
        account, table, name = opened.account, opened.table, opened.table.path.name
        for problem in account.problems:
            self.problems.add(replace(problem, where=place(name, problem.where)))
        self._dropped.update(account.dropped)
        self._sources.append(
            SourceAccount(
                name=name, sha256=table.sha256, size_bytes=table.size_bytes, format=table.format.value,
                encoding=table.encoding, mapping=opened.mapping.to_json(), task=opened.mapping.task,
                rows_in=account.rows_in, kept=account.kept, dropped=dict(account.dropped),
            )
        )  # fmt: skip

    def prepared(self, division: Division) -> Prepared:
        division = self._without_copies(division)
        straddling = division.left_out
        for row in straddling.tolist():
            self.problems.add(_straddles(self.material.ids[row]))
        if len(straddling):
            self._dropped["straddles_former_splits"] += len(straddling)
        for problem in _shape_problems(division, self.options):
            self.problems.add(problem)
        self._check.use_clusters(self._clusters(division))
        report = self._check.report()
        return Prepared(
            options=self.options, sources=self._sources, material=self.material, division=division, check=report,
            problems=self.problems, rows_in=self.rows_in, dropped=dict(self._dropped),
            repeats=dict(self._repeats), duplicates=self._duplicates, conflicts=self._conflicts,
            origins=dict(self._origins), lines=self.lines, held=self._until_done.pop_all(),
        )  # fmt: skip

    def _clusters(self, division: Division) -> list[int]:
        """Of every record that was checked; those that were refused are alone."""
        cluster = division.grouped.cluster.tolist()
        return [cluster[row] if row >= 0 else -number for number, row in enumerate(self._row_of, 1)]

    def _without_copies(self, division: Division) -> Division:
        """Where near duplicates are to be dropped: without those that say and answer what the first one does."""
        if self.options.near_duplicates is not NearDuplicates.DROP:
            return division
        split, copies = division.split.copy(), _copies(self.material, division)
        split[copies] = _LEFT_OUT_AS_COPY
        self._dropped["near_duplicate"] += len(copies)
        return replace(division, split=split)


def _copies(material: Material, division: Division) -> NDArray[np.int64]:
    first_of = division.grouped.cluster.tolist()
    return np.array(
        [
            row
            for row, first in enumerate(first_of)
            if row != first
            and material.labels[row] == material.labels[first]
            and not says_something_else(material.texts[row], material.texts[first])
        ],
        np.int64,
    )


def _problem(record: Record, finding: Finding) -> Problem:
    return replace(
        _of_record(record, finding.code, finding.message, finding.remedy), severity=finding.severity,
        where=place(record.origin.source, finding.where),
    )  # fmt: skip


def _of_record(record: Record, code: str, message: str, remedy: str) -> Problem:
    return Problem(
        code=code, message=message, remedy=remedy, where=record.origin.source, line=record.origin.row,
        severity=Severity.WARNING,
    )  # fmt: skip


def _straddles(record_id: str) -> Problem:
    message = f"{record_id} is nearly the same as former examples in two splits, and is left out"
    remedy = "leave it out, or divide the whole set anew without the former split"
    return Problem(code="straddles_former_splits", message=message, remedy=remedy, severity=Severity.WARNING)


def place(name: str, where: str) -> str:
    return f"{name}: {where}" if where else name


def _shape_problems(division: Division, options: PrepareOptions) -> Iterator[Problem]:
    """What a person should know of the splits themselves."""
    sizes = [len(division.rows_of(split)) for split in SPLITS]
    for split, size, share in zip(SPLITS, sizes, options.split.shares, strict=True):
        if share and not size:
            message = f"the {split} split is empty: too few groups to divide"
            yield Problem(
                code="split_empty", message=message, remedy="collect more examples", severity=Severity.WARNING
            )
        elif abs(size / sum(sizes) - share) > _SHARE_OFF:
            message = f"{split} has {size / sum(sizes):.1%} of the examples; {share:.1%} was asked for"
            remedy = "see whether a group is too large for a split, or labels have too few examples to divide"
            yield Problem(code="shares_off", message=message, remedy=remedy, severity=Severity.WARNING)
    for leak in division.leaks.pairs:
        message = f"{leak.first} ({leak.first_split}) and {leak.second} ({leak.second_split}) are alike: {leak.kind}"
        yield Problem(code="leak", message=message, remedy="take one of the two out")

"""What is seen of a set while its records go by: counters, hashes and a sample; no record is kept."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from engagements.phases.data_preparation.checks.balance import balance_of
from engagements.phases.data_preparation.checks.checking import chat_row
from engagements.phases.data_preparation.checks.consistency import AnswerIndex, Conflict, turns_of
from engagements.phases.data_preparation.checks.coverage import CoverageCount
from engagements.phases.data_preparation.checks.findings import Finding, found
from engagements.phases.data_preparation.checks.fix_first import fixes_of
from engagements.phases.data_preparation.checks.heat_map import HeatCount
from engagements.phases.data_preparation.checks.language import LanguageSample
from engagements.phases.data_preparation.checks.outliers import COMPARED_MAX, Outliers
from engagements.phases.data_preparation.checks.personal_data import words_of
from engagements.phases.data_preparation.checks.policy import CheckPolicy
from engagements.phases.data_preparation.checks.rare_keys import RareKeys
from engagements.phases.data_preparation.checks.report import CheckReport
from engagements.phases.data_preparation.checks.tallying import Findings, SetFinding
from engagements.phases.data_preparation.checks.vocabulary import Vocabulary
from engagements.phases.data_preparation.checks.volume import volume_of
from engagements.phases.data_preparation.records import Record
from estimator.tokens.duplicates import RowIndex, fingerprint

_CONFLICTS_LISTED: Final = 100
_NAMES_LISTED: Final = 1_000
_NUMBERS_SAID: Final = 5


class SetCheck:
    """Takes records in their order, each with its own findings; `report` says what only the whole set shows."""

    def __init__(self, policy: CheckPolicy, *, called: Callable[[int], str] = "number {}".format) -> None:
        """`called`: how findings name another record, of its number from 1."""
        self._policy, self._called = policy, called
        self._records = 0
        self._labels, self._licences, self._sources = Counter[str](), Counter[str](), Counter[str]()
        self._findings, self._heat, self._vocabulary = Findings(), HeatCount(), Vocabulary()
        self._repeats, self._answers, self._outliers = RowIndex(), AnswerIndex(), Outliers()
        self._coverage, self._languages = CoverageCount(policy.categories), LanguageSample()
        self._rare_keys = RareKeys()
        self._clusters: Sequence[int] | None = None
        self._later: tuple[SetFinding, ...] | None = None

    def add(
        self, record: Record, findings: Sequence[Finding], *, split: str | None = None, question: int | None = None
    ) -> None:
        """Take in one record with what `check_record` found; `split` where it is assigned already.

        `question`: `Fingerprint.question`, where all records come with it.
        """
        self._records += 1
        self._later = None
        turns = turns_of(record.messages)
        asked = "\n".join(text for role, text in turns if role == "user")
        self._findings.add(record, findings)
        self._heat.add(record.label, record.origin.source, [finding.group for finding in findings])
        self._repeats.add(self._records, fingerprint(chat_row(record)))
        self._answers.add(record, turns, question)
        self._outliers.add(asked, record.label)
        self._vocabulary.add(words_of(asked.lower()), split)
        self._languages.add(asked)
        self._coverage.add(record)
        self._rare_keys.add(record)
        if record.label is not None:
            self._labels[record.label] += 1
        self._licences[record.origin.licence or "unknown"] += 1
        self._sources[record.origin.source or "unknown"] += 1

    def use_clusters(self, clusters: Sequence[int]) -> None:
        """The cluster of near-equal inputs of each record in the order of adding; one of its own where it has none."""
        assert len(clusters) == self._records, "one cluster a record"
        self._clusters, self._later = clusters, None

    def set_findings(self) -> tuple[SetFinding, ...]:
        """What only the whole set shows, by record: repetitions, conflicts, outliers. Every code once for a record."""
        if self._later is None:
            kept = {(each.number, each.finding.code): each for each in self._of_the_set()}
            self._later = tuple(sorted(kept.values(), key=lambda each: each.number))
        return self._later

    def report(self) -> CheckReport:
        """Everything found so far."""
        later, conflicts = self.set_findings(), list(self._conflicts())
        tallies = self._findings.tallies(later)
        usable = self._records - self._findings.with_error
        return CheckReport(
            records=self._records,
            usable=usable,
            counts={code: tally.examples for code, tally in tallies.items()},
            findings=self._findings.by_code(tallies, later),
            scores=self._findings.scores(later),
            fix_first=fixes_of(tallies, self._records),
            heat_map=self._heat.heat_map((each.number, each.finding.group) for each in later),
            balance=balance_of(self._labels),
            conflicts=tuple(conflicts[:_CONFLICTS_LISTED]),
            conflicts_found=len(conflicts),
            vocabulary=self._vocabulary.coverage(),
            coverage=self._coverage.coverage(),
            volume=volume_of(self._records, usable, self._policy.task),
            lengths=self._outliers.lengths(),
            languages=self._languages.languages(),
            languages_sampled=self._languages.size,
            licences=dict(self._licences.most_common(_NAMES_LISTED)),
            sources=dict(self._sources.most_common(_NAMES_LISTED)),
            notes=tuple(self._notes()),
        )

    def _conflicts(self) -> Iterator[Conflict]:
        yield from self._answers.conflicts()
        if self._clusters is not None:
            yield from self._answers.near_conflicts(self._clusters)

    def _of_the_set(self) -> Iterator[SetFinding]:
        for repeat in self._repeats.repeats():
            code = "row.duplicate_of" if repeat.is_exact else "row.near_duplicate_of"
            said = f"{'the same' if repeat.is_exact else 'nearly the same'} example as {self._called(repeat.first)}"
            yield SetFinding(number=repeat.line, finding=found(code, said))
        for conflict in self._answers.conflicts():
            yield from self._of_conflict(conflict, "set.conflict" if conflict.labels else "set.answers_vary")
        if self._clusters is not None:
            for conflict in self._answers.near_conflicts(self._clusters):
                yield from self._of_conflict(conflict, "set.near_conflict")
        yield from self._rare_keys.found()
        yield from self._other_spellings()
        for outlier in self._outliers.found():
            yield SetFinding(number=outlier.number, finding=outlier.finding)

    def _other_spellings(self) -> Iterator[SetFinding]:
        """Records whose label is written in another way than most of its class."""
        balance = balance_of(self._labels)
        for labels in balance.spellings if balance else ():
            usual = max(labels, key=lambda label: self._labels[label])
            for label in labels:
                if label != usual:
                    said = f"the label {label[:40]!r} is mostly written {usual[:40]!r}"
                    for number in self._answers.numbers_with(label):
                        yield SetFinding(number=number, finding=found("label.spelling", said))

    def _notes(self) -> Iterator[str]:
        if self._outliers.left_out:
            yield f"the words of the first {COMPARED_MAX:,} examples were compared with their class, not of the others"
        if self._repeats.lines_left_out:
            yield f"{self._repeats.lines_left_out:,} examples were not compared with the others: the set is too large"

    def _of_conflict(self, conflict: Conflict, code: str) -> Iterator[SetFinding]:
        called = ", ".join(map(self._called, conflict.numbers[:_NUMBERS_SAID]))
        labels = ": " + ", ".join(map(repr, conflict.labels[:_NUMBERS_SAID])) if conflict.labels else ""
        for number in conflict.numbers:
            yield SetFinding(number=number, finding=found(code, f"{called} are answered differently{labels}"))

"""What is seen of a data set while its rows go by: problems, formats, repetitions, sums."""

import dataclasses
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from estimator.errors import Problem, Severity
from estimator.tokens.check import check_row
from estimator.tokens.counting import Counted, TokenSums
from estimator.tokens.duplicates import RowIndex, fingerprint
from estimator.tokens.findings import finding
from estimator.tokens.json_row import read_row
from estimator.tokens.reading import Line
from estimator.tokens.shapes import CONVERTED, Shape, as_chat, shape_of

# OpenAI refuses a training file with fewer ("invalid_n_examples").
MIN_EXAMPLES: Final = 10

MAX_LISTED: Final = 100


class Problems:
    """All problems counted by code, the first `MAX_LISTED` of each code listed."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.listed: list[Problem] = []

    def add(self, problem: Problem) -> None:
        self.counts[problem.code] += 1
        if self.counts[problem.code] <= MAX_LISTED:
            self.listed.append(problem)

    def by_line(self) -> tuple[Problem, ...]:
        """Those of the file first, then line by line."""
        return tuple(sorted(self.listed, key=lambda problem: (problem.line or 0, problem.code)))

    def take_over(self, others: "Problems") -> None:
        self.counts += others.counts
        self.listed += others.listed

    def __contains__(self, code: str) -> bool:
        return code in self.counts


class Review:
    """Takes rows in their order and keeps of them no more than counters, hashes and the listed problems."""

    def __init__(self, limit_tokens: int | None) -> None:
        self.problems = Problems()
        self.tokens = TokenSums(limit=limit_tokens)
        self.rows = self.examples = self.messages = self.examples_with_tools = 0
        self._index = RowIndex()
        self._shapes: Counter[Shape] = Counter()
        self._not_chat = Problems()
        self._blank_line: int | None = None

    def take(self, line: Line) -> Mapping[str, object] | None:
        """Check one row; the chat example that is to be counted, if it holds one."""
        if not line.problem and not line.content.strip():
            self._blank_line = self._blank_line or line.number
            return None
        self.rows += 1
        if self._blank_line and "blank_lines" not in self.problems:
            self.problems.add(finding("blank_lines", "blank lines stand between the rows", line=self._blank_line))
        if line.problem:
            self._add_row_problems(line.number, [line.problem])
            return None
        row = read_row(line.content)
        if not isinstance(row.value, dict):
            not_object = finding("row.not_object", "the row is no JSON object")
            self._add_row_problems(line.number, row.problems or [not_object])
            return None
        example = self._as_example(row.value, line.number)
        if example is None:
            self._add_row_problems(line.number, row.problems)
            return None
        self._add_row_problems(line.number, [*row.problems, *check_row(example)])
        return self._counted(example, line.number)

    def add_tokens(self, counted: Iterator[Counted]) -> None:
        limit = self.tokens.limit
        for some in counted:
            self.tokens.add(some)
            for index in np.flatnonzero(some.totals > limit) if limit is not None else ():
                message = f"{some.totals[index]:,} tokens, of which {limit:,} are kept"
                self.problems.add(finding("row.too_many_tokens", message, line=int(some.lines[index])))

    def close(self, file_problems: list[Problem]) -> None:
        """Add what only the whole file shows."""
        converted = len(self._shapes) == 1 and self._shapes.keys() <= CONVERTED
        for problem in itertools.chain(file_problems, self._index.problems()):
            # ShareGPT and Alpaca are written as arrays; that they are converted is said already.
            if not (converted and problem.code == "not_jsonl"):
                self.problems.add(problem)
        self._add_format_problems()
        refused = any(problem.severity is Severity.ERROR for problem in file_problems)
        if not self.rows and not refused:
            self.problems.add(finding("dataset_empty", "the file holds no rows"))
        if 0 < self.examples < MIN_EXAMPLES:
            what = f"{self.examples} examples, and at least {MIN_EXAMPLES} are needed"
            self.problems.add(finding("too_few_examples", what))

    def _as_example(self, row: Mapping[str, object], line: int) -> Mapping[str, object] | None:
        """The row as a chat example; None for a format that cannot become chat."""
        shape = shape_of(row) or Shape.CHAT
        self._shapes[shape] += 1
        if shape is Shape.CHAT:
            return row
        what = f"a row of {shape} among rows of another format"
        self._not_chat.add(finding("row.mixed_format", what, line=line))
        return as_chat(row, shape) if shape in CONVERTED else None

    def _counted(self, example: Mapping[str, object], line: int) -> Mapping[str, object] | None:
        messages = example.get("messages")
        if not isinstance(messages, list) or not messages:
            return None
        self._index.add(line, fingerprint(example))
        self.examples += 1
        self.messages += len(messages)
        self.examples_with_tools += bool(example.get("tools") or example.get("functions"))
        return example

    def _add_row_problems(self, line: int, problems: Sequence[Problem]) -> None:
        for problem in problems:
            self.problems.add(dataclasses.replace(problem, line=line))

    def _add_format_problems(self) -> None:
        """One problem where the whole file is of one other format, one for each such row in a mixed file."""
        if len(self._shapes) > 1:
            self.problems.take_over(self._not_chat)
        for shape, rows in self._shapes.items() if len(self._shapes) == 1 else ():
            if shape is not Shape.CHAT:
                code = "converted_format" if shape in CONVERTED else "not_chat_format"
                self.problems.add(finding(code, f"all {rows:,} rows are {shape}"))

"""Problems of many rows on a terminal: of each code the first few, and how many more there are."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import chain
from typing import Final

from rich.table import Table

from engagements.cli.output import number, plain_text, show_problems, table_of
from estimator.errors import Problem, Severity

_KINDS_OF_A_CODE: Final = 4


def show_first_problems(problems: Iterable[Problem], counts: Mapping[str, int]) -> None:
    """Errors first, and of each code at most four that read differently. `counts`: how many there are of a code."""
    by_code: dict[str, dict[str, list[Problem]]] = {}
    for problem in sorted(problems, key=lambda each: each.severity is not Severity.ERROR):
        by_code.setdefault(problem.code, {}).setdefault(problem.message, []).append(problem)
    shown, unlisted = list[Problem](), Counter[Severity]()
    for code, kinds in by_code.items():
        first = list(kinds.values())[:_KINDS_OF_A_CODE]
        if more := max(0, counts.get(code, 0) - sum(map(len, first))):
            last = first.pop()
            unlisted[last[0].severity] += more
            first.append([replace(each, message=f"{each.message} ... and {more:,} more like it") for each in last])
        shown += chain.from_iterable(first)
    show_problems(shown, unlisted=unlisted)


def dropped_table(dropped: Mapping[str, int]) -> Table:
    """Rows by the reason for which they were left out, the most frequent first."""
    most_first = sorted(dropped.items(), key=lambda pair: (-pair[1], pair[0]))
    rows = [(number(count), plain_text(reason)) for reason, count in most_first]
    return table_of("", ("rows", "left out because of"), rows, numeric=(0,))

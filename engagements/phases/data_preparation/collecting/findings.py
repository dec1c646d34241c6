"""What can be wrong with raw material beyond what the estimator says of a chat row: tables, spreadsheets, columns."""

from typing import Final

from estimator.errors import EstimatorError, Problem, Severity
from estimator.tokens import findings

_REMEDIES: Final = {
    # The file as a whole
    "file_too_large": "split the file, or export it as CSV",
    "file_damaged": "open it in the program that made it and save it anew",
    "encoding_likely": "look at the preview: are the accents and dashes right?",
    "benchmark_canary": "keep it for evaluation: no test by this benchmark says anything of who trained on it",
    "sheet_unknown": "name a sheet that is there",
    "sheets_not_read": "name the sheets to be read, if they hold examples too",
    "csv.missing_column": "name a column that is there, or add it to the file",
    "csv.duplicate_column": "give every column a name of its own",
    "csv.too_many_columns": "keep the columns that are needed",
    "mapping_unclear": "name the column that holds the text (--input), and the one with the answer (--target)",
    "mapping_invalid": "correct the mapping",
    "no_target_column": "name the column with the label or answer, if there is one",
    # Rows
    "csv.ragged_row": "give the row as many cells as the header has, or quote the cell with the separator in it",
    "csv.unclosed_quote": "close the quote, and double the quotes inside a quoted cell",
    "csv.cell_too_large": "shorten the cell",
    "row.formula_without_value": "open the file in a spreadsheet program and save it, so that it holds the results",
    "row.duplicate_id": "nothing is lost: the later one got a number behind its id",
    "row.bad_target": "write the answer as one JSON object",
    "row.bad_thread": "give every message of the tree a text and the role prompter or assistant",
}
_WARNINGS: Final = frozenset(
    {"encoding_likely", "benchmark_canary", "sheets_not_read", "no_target_column", "row.formula_without_value",
    "row.duplicate_id"}
)  # fmt: skip


class FileUnreadable(EstimatorError):
    """The file is not what its name or the caller says, or it is in no state to be read."""

    code = "file_unreadable"


class MappingInvalid(EstimatorError):
    """Columns that are not there, or no telling which of them hold what."""

    code = "mapping_invalid"


class PlaceUnreadable(EstimatorError):
    """An address that leads nowhere, may not be read, or asks for more than reading."""

    code = "place_unreadable"


def finding(
    code: str, message: str, *, where: str = "", line: int | None = None, severity: Severity | None = None
) -> Problem:
    """A problem of one of the codes here or in `estimator.tokens.findings`."""
    if code in findings.RULES:
        return findings.finding(code, message, where=where, line=line, severity=severity)
    usual = Severity.WARNING if code in _WARNINGS else Severity.ERROR
    return Problem(
        code=code, message=message, remedy=_REMEDIES[code], where=where, line=line, severity=severity or usual
    )

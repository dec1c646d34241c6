"""What became of the rows of a source, as a table for a spreadsheet."""

import csv
import io

from engagements.phases.data_preparation.sources.schemas import SourceOut
from estimator.csv_cells import guarded


def losses_csv(source: SourceOut) -> str:
    """Of every reason the count, and of each the first hundred rows with their lines; no cell becomes a formula."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(["code", "line", "where", "message", "remedy"])
    for code, count in sorted(source.dropped.items()):
        table.writerow([guarded(code), "", "", f"{count} rows were left out", ""])
    for each in source.problems:
        cells = (str(each.get(name) or "") for name in ("where", "message", "remedy"))
        table.writerow([guarded(str(each["code"])), each.get("line") or "", *map(guarded, cells)])
    return out.getvalue()

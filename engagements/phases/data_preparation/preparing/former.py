"""The split of a dataset that was prepared before, read from its folder."""

from pathlib import Path

import orjson

from engagements.phases.data_preparation.preparing.report import file_name
from engagements.phases.data_preparation.records import record_of
from engagements.phases.data_preparation.splitting.policy import SPLITS, Previous, Split
from estimator.errors import EstimatorError, Problem


class FormerUnreadable(EstimatorError):
    """A folder that holds no dataset as `sixfold data prepare` writes it."""

    code = "former_unreadable"


def former_split(folder: Path) -> Previous:
    """Where each record was, by its id and by its content. Raises `FormerUnreadable` with every file that is amiss."""
    by_id: dict[str, Split] = {}
    by_content: dict[str, Split] = {}
    problems = []
    for split in SPLITS:
        path = folder / file_name(split)
        try:
            with path.open("rb") as lines:
                for line in lines:
                    record = record_of(orjson.loads(line))
                    by_id[record.id] = by_content[record.content_sha256] = split
        except (OSError, ValueError, KeyError, TypeError) as error:
            why = error.strerror if isinstance(error, OSError) else f"it holds what is no record ({error})"
            remedy = "name the folder that an earlier `sixfold data prepare -o` wrote"
            problems.append(
                Problem(code=FormerUnreadable.code, where=str(path), message=f"cannot be read: {why}", remedy=remedy)
            )
    if problems:
        raise FormerUnreadable(*problems)
    return Previous(by_id=by_id, by_content=by_content)

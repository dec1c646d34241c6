"""What preparing is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from engagements.phases.data_preparation.checks.policy import CheckPolicy
from engagements.phases.data_preparation.records import Provenance, Task
from engagements.phases.data_preparation.splitting.policy import SplitPolicy


class NearDuplicates(StrEnum):
    """`KEEP`: together in one split. `DROP`: the first of each is kept, unless it says something else."""

    KEEP = "keep"
    DROP = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Columns that the caller named; None is found."""

    input: str | None = None
    target: str | None = None
    id: str | None = None
    group: str | None = None

    def named(self) -> Mapping[str, str]:
        names = {"input": self.input, "target": self.target, "id": self.id, "group": self.group}
        return {role: name for role, name in names.items() if name is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareOptions:
    """`task` None: as the files show it. `encoding`: of files that are not UTF-8. `kind`, `author` and `licence` are
    those of all the files.

    `processes`: how many check rows beside the one that reads them; it changes how long it takes and nothing else. A
    script that asks for them needs `if __name__ == "__main__":`, as whatever starts processes in Python does.
    """

    split: SplitPolicy
    task: Task | None = None
    columns: Columns = Columns()
    encoding: str | None = None
    check: CheckPolicy = field(default_factory=CheckPolicy)
    near_duplicates: NearDuplicates = NearDuplicates.KEEP
    kind: Provenance = Provenance.EXISTING_WORK
    author: str = ""
    licence: str = ""
    processes: int = 0

    def as_json(self) -> dict[str, Any]:
        """All that decides what comes out, but for the files and a former split."""
        return {
            "task": self.task, "columns": dict(self.columns.named()), "encoding": self.encoding,
            "near_duplicates": self.near_duplicates.value,
            "personal_data": self.check.personal_data.value, "licences": sorted(self.check.licences),
            "languages": sorted(self.check.languages), "labels": sorted(self.check.labels),
            "model": self.check.model, "limit_tokens": self.check.limit_tokens,
            "output_schema": self.check.output_schema, "output_pattern": self.check.output_pattern,
            "split": self.split.as_json(),
        }  # fmt: skip

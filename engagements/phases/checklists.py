"""The checklists of the phases: data in `checklists.toml`. A mark opens no gate."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from estimator.phases import Phase

_FILE: Final = Path(__file__).with_name("checklists.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """`key` is unique within its phase and stays as it is, for marks name it."""

    key: str
    text: str


@cache
def checklists() -> Mapping[Phase, tuple[Item, ...]]:
    read = tomllib.loads(_FILE.read_text("utf-8"))
    return {phase: tuple(Item(key=row["key"], text=row["text"]) for row in read[phase]) for phase in Phase}

"""What a start must not forget. Every `remember` is durable before it returns: it is on disk, or committed."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Memory(Protocol):
    """Of one run: small strings by name. A key is written once or changed, never taken away."""

    def recall(self, key: str) -> str | None: ...

    def remember(self, key: str, value: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMemory:
    """In a JSON file beside a run that no database knows of; written by rename, synced."""

    path: Path

    def recall(self, key: str) -> str | None:
        return self._read().get(key)

    def remember(self, key: str, value: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(".partial")
        with partial.open("w", encoding="utf-8") as file:
            json.dump(self._read() | {key: value}, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.path)

    def _read(self) -> dict[str, str]:
        try:
            held: dict[str, str] = json.loads(self.path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        return held

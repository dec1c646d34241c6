"""The forms of sources as they are typed."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import model_validator

from engagements.core.schemas import In
from engagements.phases.data_preparation.sources.schemas import SourceIn, SourcePatch

_COLUMNS: Final = ("target", "id", "group", "system", "author", "licence", "language", "weight", "system_prompt")


class NoFields(In):
    """A button alone."""


class SourceForm(SourceIn):
    """A file that the page has sent before, or a place."""

    @model_validator(mode="before")
    @classmethod
    def _as_typed(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        known = {name: value for name, value in values.items() if name != "file"}
        return known | {"upload_id": values.get("upload_id") or None}


class MappingForm(SourcePatch):
    """`input` and `second`: one or two columns that hold the text; `shape` alone where the rows have a known one.

    Neither is there while the file cannot be read: then nothing is said of its columns.
    """

    @model_validator(mode="before")
    @classmethod
    def _as_typed(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        told = {name: values[name] for name in ("format", "encoding") if name in values}
        if shape := values.get("shape"):
            return told | {"mapping": {"shape": shape}}
        if "input" not in values:
            return told
        columns: dict[str, Any] = {name: values[name] for name in _COLUMNS if values.get(name)}
        inputs = [values[name] for name in ("input", "second") if values.get(name)]
        task = {"task": values["task"]} if values.get("task") else {}
        return told | {"mapping": columns | task | {"input": inputs}}

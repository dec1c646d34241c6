"""A brief from TOML or JSON: everything wrong with it at once, each with its place and how to mend it."""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from estimator.brief.sections import Brief
from estimator.errors import BriefInvalid, Problem

_BYTES_MAX: Final = 1_000_000
_DEPTH_MAX: Final = 64

_GENERIC: Final[Mapping[str, tuple[str, str]]] = {
    "missing": ("field_missing", "add it"),
    "extra_forbidden": ("unknown_field", "remove it"),
    "bool_type": ("validation_failed", "write true or false, without quotes"),
    "bool_parsing": ("validation_failed", "write true or false, without quotes"),
}


def load_brief(path: Path) -> Brief:
    """The brief in a `.toml` or `.json` file. Raises `BriefInvalid`."""
    try:
        with path.open("rb") as file:
            raw = file.read(_BYTES_MAX + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise BriefInvalid(_whole("brief_unreadable", f"{path}: {reason}", "name a TOML or JSON file")) from error
    if len(raw) > _BYTES_MAX:
        message = f"{path} has more than {_BYTES_MAX:,} bytes"
        raise BriefInvalid(_whole("brief_too_large", message, "a brief has at most a megabyte"))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"byte {error.start} of {path} is not UTF-8"
        raise BriefInvalid(_whole("not_utf8", message, "save the file as UTF-8")) from error
    return read_brief(text, form="json" if path.suffix.lower() == ".json" else "toml")


def read_brief(text: str, *, form: Literal["toml", "json"] = "toml") -> Brief:
    """The brief a text holds. Raises `BriefInvalid` with every problem, its path and (in TOML) its line."""
    data = _parsed_toml(text) if form == "toml" else _parsed_json(text)
    lines = dict(_toml_lines(text)) if form == "toml" else {}
    try:
        return Brief.model_validate(data)
    except ValidationError as error:
        raise BriefInvalid(*(_problem(fault, lines) for fault in error.errors(include_url=False))) from None


def _parsed_toml(text: str) -> Mapping[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        message = f"this is not TOML: {error}"
        raise BriefInvalid(_whole("toml_invalid", message, "mend that line", int(line[1]) if line else None)) from error
    except (RecursionError, ValueError) as error:
        message = "this is nested too deeply or holds a number too long to read"
        raise BriefInvalid(_whole("toml_invalid", message, "start from `sixfold brief new`")) from error


def _parsed_json(text: str) -> Mapping[str, object]:
    depth = deepest = 0
    for char in text:
        depth += (char in "[{") - (char in "]}")
        deepest = max(deepest, depth)
    if deepest > _DEPTH_MAX:
        raise BriefInvalid(
            _whole("json_too_deep", f"brackets are {deepest} deep", f"a brief needs fewer than {_DEPTH_MAX}")
        )
    try:
        data = json.loads(text, object_pairs_hook=_without_duplicates)
    except json.JSONDecodeError as error:
        message = f"this is not JSON: {error.msg}"
        raise BriefInvalid(_whole("malformed_json", message, "mend that place", error.lineno)) from error
    except ValueError as error:
        raise BriefInvalid(_whole("malformed_json", f"this is not JSON: {error}", "mend it")) from error
    if not isinstance(data, dict):
        raise BriefInvalid(
            _whole("malformed_json", "a brief is one JSON object", "start from `sixfold brief new --json`")
        )
    return data


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    keys = [key for key, _ in pairs]
    doubled = {key for key in keys if keys.count(key) > 1}
    if doubled:
        message = f"{', '.join(sorted(doubled))} stands twice in one object"
        raise BriefInvalid(_whole("duplicate_json_key", message, "keep one of them"))
    return dict(pairs)


def _problem(fault: ErrorDetails, lines: Mapping[str, int]) -> Problem:
    path = _path(fault["loc"])
    context = fault.get("ctx", {})
    code, remedy = _GENERIC.get(fault["type"], (fault["type"], ""))
    if "remedy" in context:
        remedy = str(context["remedy"])
    elif fault["type"] not in _GENERIC:
        code, remedy = "validation_failed", _generic_remedy(fault)
    elif code == "unknown_field":
        remedy = _nearest(fault["loc"])
    return Problem(code=code, where=path, line=_line(fault["loc"], lines), message=_message(fault), remedy=remedy)


def _message(fault: ErrorDetails) -> str:
    match fault["type"]:
        case "missing":
            return "is needed and missing"
        case "extra_forbidden":
            return "nothing in a brief is called that"
        case _ if "remedy" in fault.get("ctx", {}):
            return str(fault["msg"])
        case _:
            return f"{fault['msg'][:1].lower()}{fault['msg'][1:]}, not {str(fault['input'])[:60]!r}"


def _generic_remedy(fault: ErrorDetails) -> str:
    context = fault.get("ctx", {})
    if "expected" in context:
        return f"use one of {context['expected']}"
    if "pattern" in context:
        return f"write it in the form {context['pattern']}"
    return "see `sixfold brief new` for an example"


def _nearest(location: tuple[int | str, ...]) -> str:
    """The name of a field that the unknown one may have meant."""
    model: type[BaseModel] | None = Brief
    for part in location[:-1]:
        model = _inside(model, part) if isinstance(part, str) else model
    known = [field.alias or name for name, field in model.model_fields.items()] if model else []
    near = get_close_matches(str(location[-1]), known, n=1)
    return f"did you mean {near[0]}? otherwise remove it" if near else "remove it"


def _inside(model: type[BaseModel] | None, name: str) -> type[BaseModel] | None:
    """The section a field holds, looking through optional and repeated ones."""
    if model is None or name not in model.model_fields:
        return None
    waiting: list[object] = [model.model_fields[name].annotation]
    while waiting:
        annotation = waiting.pop()
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return annotation
        waiting += getattr(annotation, "__args__", ())
    return None


def _path(location: Iterable[int | str]) -> str:
    path = ""
    for part in location:
        path += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def _line(location: tuple[int | str, ...], lines: Mapping[str, int]) -> int | None:
    """The line of a place, or of the nearest section around it."""
    around = (_path(location[:length]) for length in range(len(location), 0, -1))
    return next((lines[path] for path in around if path in lines), None)


def _toml_lines(text: str) -> Iterator[tuple[str, int]]:
    """Where each table and key begins, for messages only: a scan of the common forms, no second parser."""
    section = ""
    counted: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if found := re.match(r"\s*\[\[\s*([\w.\-]+)\s*\]\]", line):
            counted[found[1]] = counted.get(found[1], 0) + 1
            section = f"{found[1]}[{counted[found[1]]}]"
            yield section, number
        elif found := re.match(r"\s*\[\s*([\w.\-]+)\s*\]", line):
            section = found[1]
            yield section, number
        elif found := re.match(r"\s*([\w\-]+)\s*=", line):
            yield (f"{section}.{found[1]}" if section else found[1]), number


def _whole(code: str, message: str, remedy: str, line: int | None = None) -> Problem:
    return Problem(code=code, message=message, remedy=remedy, line=line)

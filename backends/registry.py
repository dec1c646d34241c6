"""Backends by name. Anybody can add one: an entry point in the group `sixfold.backends` names a callable that takes the
settings of its kind, as a mapping, and returns a `Backend`; it is imported when it is chosen, not before."""

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import Final

from backends.errors import BackendMissing, unknown_backend
from backends.protocol import Backend

GROUP: Final = "sixfold.backends"

Maker = Callable[[str, Mapping[str, object]], Backend]
"""Takes the name under which the backend is known and its settings. Raises `ValueError` for a setting it cannot use."""


def kinds() -> tuple[str, ...]:
    """The kinds of backends that are installed, in order of their names."""
    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


def make(kind: str, *, name: str, settings: Mapping[str, object]) -> Backend:
    """Raises `BackendMissing` for a kind that nobody offers, or whose libraries are not installed."""
    found = {point.name: point for point in entry_points(group=GROUP)}
    if kind not in found:
        raise unknown_backend(kind, found)
    try:
        maker: Maker = found[kind].load()
    except ImportError as error:
        raise BackendMissing(f"{kind} needs {error.name}, which is not installed") from error
    return maker(name, settings)

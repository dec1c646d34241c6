"""The backends of an installation by name: what the settings say of each, and each itself, made when asked for."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Final

from backends import registry
from backends.errors import BackendMissing
from backends.protocol import Backend
from engagements.core.errors import Invalid, NotConfigured
from engagements.settings import TrainingBackend
from estimator.errors import Problem

LOCAL: Final = "peft"
"""The backend that is there without settings, where its libraries are."""
_KEEPS_A_FOLDER: Final = frozenset({LOCAL, "fake"})
_AT_ONCE: Final = 4
"""Jobs that a provider is given at the same time where nobody says how many."""
_POLLED_EVERY_S: Final = 15.0
"""As often as a provider is asked for its list of jobs (reliability reference, 2.4)."""
_LOCAL_POLLED_EVERY_S: Final = 2.0


@dataclass(kw_only=True)
class Trainers:
    """`environment`: where secrets are read from, when a backend is made. `folder`: where local ones keep their runs.

    Safe to share between threads; no backend is imported before it is asked for.
    """

    by_name: Mapping[str, TrainingBackend]
    environment: Mapping[str, str]
    folder: Path
    _made: dict[str, Backend] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @property
    def names(self) -> list[str]:
        return sorted(self.by_name)

    def said(self, name: str, *, where: str = "backend") -> TrainingBackend:
        """What the settings say. Raises `NotConfigured` where there are none, `Invalid` for another name."""
        if not self.by_name:
            remedy = 'install the extra `local`, or name one in sixfold.toml: [backends.openai] kind = "openai"'
            raise NotConfigured("nothing is set up here that trains", remedy=remedy)
        found = self.by_name.get(name)
        if found is None:
            message, remedy = f"the settings name no backend {name[:60]!r}", f"take one of {', '.join(self.names)}"
            raise Invalid.of(Problem(code="backend_unknown", where=where, message=message, remedy=remedy))
        return found

    def named(self, name: str) -> Backend:
        """Raises `NotConfigured` and `Invalid`, as `said` does, and where a secret or a library is missing."""
        said = self.said(name)
        with self._lock:
            if name not in self._made:
                self._made[name] = self._make(name, said)
            return self._made[name]

    def made(self, name: str) -> Backend | None:
        """The backend, where it was asked for before and can be had; None rather than any error."""
        try:
            return self.named(name)
        except (Invalid, NotConfigured):
            return None

    def at_once(self, name: str) -> int:
        """How many runs it is given at the same time."""
        if (said := self.said(name)).at_once is not None:
            return said.at_once
        return 1 if self.is_local(name) else _AT_ONCE

    def is_local(self, name: str) -> bool:
        """Whether it computes on hardware of ours."""
        return self.named(name).capabilities.local

    def polled_every_s(self, name: str) -> float:
        if (said := self.said(name)).polled_every_s is not None:
            return said.polled_every_s
        return _LOCAL_POLLED_EVERY_S if self.is_local(name) else _POLLED_EVERY_S

    def webhook_secret(self, name: str) -> str:
        """What a backend signs its webhooks with; empty where it sends none, or is not there."""
        said = self.by_name.get(name)
        return self.environment.get(said.webhook_secret_env, "") if said and said.webhook_secret_env else ""

    def _make(self, name: str, said: TrainingBackend) -> Backend:
        try:
            return registry.make(said.kind, name=name, settings=self._settings(name, said))
        except BackendMissing as error:
            raise NotConfigured(str(error), remedy="install what it needs, and start the server again") from error
        except ValueError as error:
            message = f"backend {name} cannot be made of its settings: {error}"
            raise NotConfigured(message, remedy=f"mend [backends.{name}] in the settings") from error

    def _settings(self, name: str, said: TrainingBackend) -> dict[str, Any]:
        secrets = {setting: self.environment.get(variable, "") for setting, variable in said.secrets.items()}
        if missing := sorted(said.secrets[setting] for setting, value in secrets.items() if not value):
            message = f"{', '.join(missing)}, which backend {name} needs, is not set"
            raise NotConfigured(message, remedy="set it where the server runs, and start it again")
        folder = {"folder": str(self.folder / name)} if said.kind in _KEEPS_A_FOLDER else {}
        return folder | said.settings | secrets


def trainers_of(settings: Mapping[str, TrainingBackend], environment: Mapping[str, str], *, folder: Path) -> Trainers:
    """Those that the settings name, and the local one where what it needs is installed; nothing of it is imported."""
    by_name = dict(settings)
    if LOCAL not in by_name and LOCAL in registry.kinds() and importlib.util.find_spec("torch") is not None:
        by_name[LOCAL] = TrainingBackend(kind=LOCAL)
    return Trainers(by_name=by_name, environment=environment, folder=folder)

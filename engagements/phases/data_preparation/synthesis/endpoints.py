"""Where larger models are asked: only at addresses that the settings name, with keys that are never stored.

A host is resolved once a connection, every address it has is judged, and the connection goes to the one that was
judged; what leads into a network of its own is refused unless the settings call the endpoint local.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr

from engagements.core.errors import EngagementError, Invalid, NotConfigured
from engagements.settings import ModelEndpoint
from engagements.webhooks.address import Target, UrlRefused, target_of
from estimator.errors import Problem

_REMEDY: Final = (
    """name one in sixfold.toml: [model_endpoints.openai] base_url = "https://…/v1", key_env = "OPENAI_API_KEY\""""
)


class BaseUrlRefused(EngagementError):
    """An address that we do not call."""

    code, status = "base_url.not_allowed", 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An OpenAI-compatible server. `key` empty: it asks for none. `local_hosts`: its own host, where it is local."""

    name: str
    base_url: str
    key: SecretStr
    key_env: str
    provider: str
    limit_field: str
    json_mode: bool
    json_schema: bool
    timeout_s: float
    local_hosts: frozenset[str]

    def target(self) -> Target:
        """Where it is, without looking it up. Raises `BaseUrlRefused`."""
        try:
            return target_of(self.base_url, self.local_hosts)
        except UrlRefused as error:
            remedy = "take an https address of the open internet, or set local = true for a server of your own"
            raise BaseUrlRefused(f"endpoint {self.name}: {error.message}", remedy=remedy) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """All that the settings name; none: nothing is generated here."""

    by_name: Mapping[str, Endpoint]

    @property
    def names(self) -> list[str]:
        return sorted(self.by_name)

    def require_any(self) -> None:
        """Raises `NotConfigured`."""
        if not self.by_name:
            raise NotConfigured("no endpoint of a larger model is set up here", remedy=_REMEDY)

    def named(self, name: str) -> Endpoint:
        """One that can be asked. Raises `NotConfigured`, `Invalid` and `BaseUrlRefused`."""
        self.require_any()
        found = self.by_name.get(name)
        if found is None:
            message, remedy = f"the settings name no endpoint {name[:60]!r}", f"take one of {', '.join(self.names)}"
            raise Invalid.of(Problem(code="endpoint_unknown", where="endpoint", message=message, remedy=remedy))
        if found.key_env and not found.key.get_secret_value():
            message = f"{found.key_env}, which holds the key of endpoint {name}, is not set"
            raise NotConfigured(message, remedy=f"set {found.key_env} where the server runs, and start it again")
        found.target()
        return found


def endpoints_of(settings: Mapping[str, ModelEndpoint], environment: Mapping[str, str]) -> Endpoints:
    """The endpoints of an installation; keys are read from `environment` and stay in memory."""
    return Endpoints(by_name={name: _endpoint(name, each, environment) for name, each in settings.items()})


def _endpoint(name: str, said: ModelEndpoint, environment: Mapping[str, str]) -> Endpoint:
    return Endpoint(
        name=name, base_url=said.base_url, key=SecretStr(environment.get(said.key_env, "") if said.key_env else ""),
        key_env=said.key_env, provider=said.provider, limit_field=said.limit_field, json_mode=said.json_mode,
        json_schema=said.json_schema, timeout_s=said.timeout_s,
        local_hosts=frozenset({said.host} if said.local else ()),
    )  # fmt: skip

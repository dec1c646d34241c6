"""Settings of an installation: whose proposals these are, how they look, where own prices lie.

Read from `sixfold.toml` in the working directory and from the environment, which wins:

    [agency]                            SIXFOLD_AGENCY__NAME="Fjord & Partners"
    name = "Fjord & Partners"           SIXFOLD_AGENCY__ACCENT="#0f5c63"
    accent = "#0f5c63"                  SIXFOLD_PRICES='["prices/contract.toml"]'
    logo = "logo.svg"
"""

import os
import re
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from babel.localedata import exists
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from estimator.brief.fields import Amount, Currency, Day, Name, Prose, refusal
from estimator.errors import EstimatorError, Problem

SETTINGS_FILE: Final = Path("sixfold.toml")

_INVALID: Final = "setting_invalid"
_NOBODY: Final = "nothing in the settings is called that"
_OF_ANOTHER_KIND: Final = {
    "path_type": ("this is no name of a file", "write the name in quotes"),
    "string_type": ("this is no text", "put it in quotes"),
    "tuple_type": ("this is no list", 'write it like ["prices/contract.toml"]'),
    "model_type": ("this is no table", "write [agency] and its lines below"),
}


class SettingsInvalid(EstimatorError):
    """A setting that cannot be meant; names the setting and how to write it."""

    code = "settings_invalid"


def _known_locale(value: str) -> str:
    """Documents are written in English; the country decides how numbers and days look."""
    if not re.fullmatch(r"en_[A-Z]{2}", value, re.ASCII) or not exists(value):
        raise refusal("locale.unknown", f"{value[:40]!r} is no English locale", "write one like en_GB or en_US")
    return value


def _mailbox(value: str) -> str:
    """Empty, or one address that a mail server takes as the sender."""
    local, at, domain = value.rpartition("@")
    if value and not (at and local and "." in domain and value.isascii() and value.isprintable() and " " not in value):
        raise refusal("email.bad_format", f"{value[:60]!r} is no e-mail address", "write it like ana@example.com")
    return value


def _known_time_zone(value: str) -> str:
    """A name of the time zone database; `localtime` and `Factory` are names of no place."""
    if value not in available_timezones() - {"localtime", "Factory"}:
        message = f"{value[:40]!r} is no name of a time zone"
        raise refusal("timezone.unknown", message, "write one like UTC or Europe/Berlin")
    return value


def _one_colour(value: str) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", value, re.ASCII):
        raise refusal("colour.bad_format", f"{value[:40]!r} is no colour", "write it like #0f5c63")
    return value.lower()


def _names_a_file(value: Path) -> Path:
    if not value.name or "\0" in str(value):
        raise refusal("file.bad_name", "this is no name of a file", "name a file, or leave the line away")
    return value


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if value and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment):
        raise refusal("url.bad_format", f"{value[:60]!r} is no address", "write it like https://sixfold.example.com")
    return value.rstrip("/")


File = Annotated[Path, AfterValidator(_names_a_file)]
TimeZone = Annotated[str, AfterValidator(_known_time_zone)]


class Agency(BaseModel):
    """Who signs a proposal, and the look of it. `terms` names a text file; the packaged terms hold without it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name = "Sixfold"
    legal_name: Name = ""
    address: Prose = ""
    registration: Name = ""
    vat_id: Name = ""
    email: Name = ""
    website: Name = ""
    signatory: Name = ""
    signatory_role: Name = ""
    prepared_by: Name = ""
    reviewed_by: Name = ""
    accent: Annotated[str, AfterValidator(_one_colour)] = "#0f5c63"
    logo: File | None = None
    terms: File | None = None
    paper: Literal["A4", "letter"] = "A4"
    locale: Annotated[str, AfterValidator(_known_locale)] = "en_GB"
    time_zone: TimeZone = "UTC"

    @property
    def is_named(self) -> bool:
        """Whether somebody has said whose proposals these are."""
        return "name" in self.model_fields_set


class ModelEndpoint(BaseModel):
    """An OpenAI-compatible server that may be asked to generate. `key_env`: which variable holds its key.

    `local`: a host of your own network, which http and inner addresses are allowed to. `provider`: as the price book
    calls it. `limit_field`: how the server wants the most tokens of an answer called. `json_schema`: it holds answers
    to a schema (structured outputs); `json_mode`: to JSON alone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: Annotated[str, AfterValidator(_web_address)]
    key_env: Annotated[str, Field(pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$")] = ""
    provider: Name = ""
    local: bool = False
    limit_field: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    json_mode: bool = True
    json_schema: bool = False
    timeout_s: Annotated[float, Field(gt=0, le=900)] = 120.0

    @property
    def host(self) -> str:
        return (urlsplit(self.base_url).hostname or "").rstrip(".")


class HourPrice(BaseModel):
    """What an hour of one device costs, from a source with its day; 0 is a price, for a machine that is paid for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    amount: Amount
    currency: Currency
    source: Name
    as_of: Day


class TrainingBackend(BaseModel):
    """Where models are trained. `kind`: of the installed backends; `settings` are those of its kind.

    `secrets`: by the name of such a setting, which environment variable holds it. `provider`: as the price book calls
    it; empty where it computes on hardware of ours, and then `gpu` says on which, and `hour` what an hour of it costs.
    `webhook_secret_env`: which variable holds the secret that its webhooks are signed with. `at_once`: how many runs it
    is given at the same time; by default one on hardware of ours, else four.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    settings: dict[str, Any] = {}
    secrets: dict[str, Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]] = {}
    provider: Name = ""
    gpu: Name = ""
    hour: HourPrice | None = None
    webhook_secret_env: Annotated[str, Field(pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$")] = ""
    at_once: Annotated[int, Field(ge=1, le=100)] | None = None
    polled_every_s: Annotated[float, Field(ge=0.1, le=3600)] | None = None


class Settings(BaseSettings):
    """Frozen; prefix SIXFOLD_, nested names joined by two underscores."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix="SIXFOLD_",
        env_nested_delimiter="__",
        env_ignore_empty=True,
        toml_file=SETTINGS_FILE,
        extra="forbid",
        frozen=True,
    )

    agency: Agency = Agency()
    prices: tuple[File, ...] = ()
    home: File = Path("~/.sixfold")
    database: SecretStr = SecretStr("")
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8640
    public_url: Annotated[str, AfterValidator(_web_address)] = ""
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    webhook_hosts: tuple[str, ...] = ()
    webhook_senders: Annotated[int, Field(ge=0, le=64)] = 4
    smtp_host: str = ""
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 587
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_tls: Literal["starttls", "tls", "none"] = "starttls"
    smtp_from: Annotated[str, AfterValidator(_mailbox)] = ""
    storage: str = ""
    storage_options: dict[str, str] = {}
    model_endpoints: dict[str, ModelEndpoint] = {}
    data_workers: Annotated[int, Field(ge=0, le=16)] = 1
    data_places: tuple[SecretStr, ...] = ()
    backends: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")], TrainingBackend] = {}
    training_workers: Annotated[int, Field(ge=0, le=16)] = 4
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @model_validator(mode="after")
    def _letters_have_a_sender(self) -> Self:
        if self.smtp_host and not self.letter_sender:
            remedy = "set SIXFOLD_SMTP_FROM to an address like delivery@example.com"
            raise refusal("setting_invalid", "smtp_host is set, and nobody is named who sends the letters", remedy)
        return self

    @property
    def letter_sender(self) -> str:
        """Whose address letters carry: the setting, or the agency's own."""
        return self.smtp_from or self.agency.email

    @property
    def home_folder(self) -> Path:
        """Where everything of an installation lies that no other setting places elsewhere."""
        return self.home.expanduser()

    @property
    def database_url(self) -> str:
        """SQLAlchemy's URL: the setting, or a SQLite file in the home folder."""
        return self.database.get_secret_value() or f"sqlite:///{self.home_folder / 'sixfold.db'}"

    @property
    def storage_url(self) -> str:
        """Where files lie that are too large for the database: the setting, or a folder in the home."""
        return self.storage or str(self.home_folder / "storage")

    @property
    def base_url(self) -> str:
        """Where people reach the server, without a slash at the end; links begin with it."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def read_settings() -> Settings:
    """The settings of this process. Raises `SettingsInvalid` with everything that is wrong with them."""
    problems = list(_misspelt_variables())
    try:
        settings = Settings()
    except ValidationError as error:
        problems += map(_problem, error.errors())
    except SettingsError as error:
        remedy = """write lists as JSON, such as SIXFOLD_PRICES='["prices/contract.toml"]'"""
        problems.append(Problem(code=_INVALID, where="environment", message=str(error), remedy=remedy))
    except RecursionError:
        message = "this is nested too deeply to be read"
        problems.append(Problem(code=_INVALID, where=str(SETTINGS_FILE), message=message, remedy="mend the TOML"))
    except (OSError, ValueError) as error:
        problems.append(Problem(code=_INVALID, where=str(SETTINGS_FILE), message=str(error), remedy="mend the TOML"))
    if problems:
        raise SettingsInvalid(*problems)
    return settings


def _misspelt_variables() -> Iterator[Problem]:
    """Variables that nearly name a setting: the settings pass over what they do not know."""
    known = [f"SIXFOLD_{name.upper()}" for name in Settings.model_fields]
    for variable in os.environ:
        name = variable.upper().partition("__")[0]
        if (
            name.startswith("SIXFOLD_")
            and name not in known
            and (near := get_close_matches(name, known, n=1, cutoff=0.85))
        ):
            remedy = f"did you mean {near[0]}? otherwise unset it"
            yield Problem(code="unknown_field", where=variable, message=_NOBODY, remedy=remedy)


def _problem(fault: ErrorDetails) -> Problem:
    where = ""
    for part in fault["loc"]:
        where += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if where else part
    context = fault.get("ctx", {})
    if fault["type"] == "extra_forbidden":
        return Problem(code="unknown_field", where=where, message=_NOBODY, remedy=_nearest(fault["loc"]))
    if fault["type"] in _OF_ANOTHER_KIND:
        message, remedy = _OF_ANOTHER_KIND[fault["type"]]
        return Problem(code=_INVALID, where=where, message=message, remedy=remedy)
    expected = f"write {context['expected']}" if "expected" in context else "see the settings in the README"
    return Problem(
        code=fault["type"] if "remedy" in context else _INVALID,
        where=where,
        message=fault["msg"][:1].lower() + fault["msg"][1:],
        remedy=str(context.get("remedy", expected)),
    )


def _nearest(location: tuple[int | str, ...]) -> str:
    fields = Agency.model_fields if location[0] == "agency" else Settings.model_fields
    near = get_close_matches(str(location[-1]), fields, n=1)
    return f"did you mean {near[0]}? otherwise remove it" if near else f"use one of {', '.join(fields)}"

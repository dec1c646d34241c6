"""Settings of an installation: whose proposals these are, how they look, where own prices lie.

Read from `sixfold.toml` in the working directory and from the environment, which wins:

    [agency]                            SIXFOLD_AGENCY__NAME="Fjord & Partners"
    name = "Fjord & Partners"           SIXFOLD_AGENCY__ACCENT="#0f5c63"
    accent = "#0f5c63"                  SIXFOLD_PRICES='["prices/contract.toml"]'
    logo = "logo.svg"
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Literal
from zoneinfo import available_timezones

from babel.localedata import exists
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from estimator.brief.fields import Name, Prose, refusal
from estimator.errors import EstimatorError, Problem


class SettingsInvalid(EstimatorError):
    """A setting that cannot be meant; names the setting and how to write it."""

    code = "settings_invalid"


def _known_locale(value: str) -> str:
    """Documents are written in English; the country decides how numbers and days look."""
    if not re.fullmatch(r"en_[A-Z]{2}", value, re.ASCII) or not exists(value):
        raise refusal("locale.unknown", f"{value[:40]!r} is no English locale", "write one like en_GB or en_US")
    return value


def _known_time_zone(value: str) -> str:
    """A name of the time zone database; `localtime` and `Factory` are names of no place."""
    if value not in available_timezones() - {"localtime", "Factory"}:
        message = f"{value[:40]!r} is no name of a time zone"
        raise refusal("timezone.unknown", message, "write one like UTC or Europe/Berlin")
    return value


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
    accent: Annotated[str, StringConstraints(to_lower=True, pattern=r"^#[0-9a-fA-F]{6}$")] = "#0f5c63"
    logo: Path | None = None
    terms: Path | None = None
    paper: Literal["A4", "letter"] = "A4"
    locale: Annotated[str, AfterValidator(_known_locale)] = "en_GB"
    time_zone: Annotated[str, AfterValidator(_known_time_zone)] = "UTC"

    @property
    def is_named(self) -> bool:
        """Whether somebody has said whose proposals these are."""
        return "name" in self.model_fields_set


class Settings(BaseSettings):
    """Frozen; prefix SIXFOLD_, nested names joined by two underscores."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix="SIXFOLD_",
        env_nested_delimiter="__",
        env_ignore_empty=True,
        toml_file="sixfold.toml",
        extra="forbid",
        frozen=True,
    )

    agency: Agency = Agency()
    prices: tuple[Path, ...] = ()

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
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsInvalid(*_problems(error)) from error
    except SettingsError as error:
        remedy = """write lists as JSON, such as SIXFOLD_PRICES='["prices/contract.toml"]'"""
        problem = Problem(code="setting_invalid", where="environment", message=str(error), remedy=remedy)
        raise SettingsInvalid(problem) from error
    except (OSError, ValueError) as error:
        problem = Problem(code="setting_invalid", where="sixfold.toml", message=str(error), remedy="mend the TOML")
        raise SettingsInvalid(problem) from error


def _problems(error: ValidationError) -> Iterator[Problem]:
    for fault in error.errors():
        context = fault.get("ctx", {})
        yield Problem(
            code=fault["type"] if "remedy" in context else "setting_invalid",
            where=".".join(str(part) for part in fault["loc"]),
            message=fault["msg"][:1].lower() + fault["msg"][1:],
            remedy=str(context.get("remedy", "see the settings in the README")),
        )

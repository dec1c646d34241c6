"""Settings of an installation: whose proposals these are, how they look, where own prices lie.

Read from `sixfold.toml` in the working directory and from the environment, which wins:

    [agency]                            SIXFOLD_AGENCY__NAME="Fjord & Partners"
    name = "Fjord & Partners"           SIXFOLD_AGENCY__ACCENT="#0f5c63"
    accent = "#0f5c63"                  SIXFOLD_PRICES='["prices/contract.toml"]'
    logo = "logo.svg"
"""

import re
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from estimator.errors import EstimatorError, Problem


class SettingsInvalid(EstimatorError):
    """A setting that cannot be meant; names the setting and how to write it."""

    code = "settings_invalid"


class Agency(BaseModel):
    """Who signs a proposal, and the look of it. `terms` names a text file; the packaged terms hold without it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = "Sixfold"
    legal_name: str = ""
    address: str = ""
    registration: str = ""
    vat_id: str = ""
    email: str = ""
    website: str = ""
    signatory: str = ""
    signatory_role: str = ""
    prepared_by: str = ""
    reviewed_by: str = ""
    accent: Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")] = "#0f5c63"
    logo: Path | None = None
    terms: Path | None = None
    paper: Literal["A4", "letter"] = "A4"
    locale: Annotated[str, Field(pattern=r"^en_[A-Z]{2}$")] = "en_GB"
    time_zone: str = "UTC"

    @property
    def is_named(self) -> bool:
        """Whether somebody has said whose proposals these are."""
        return "name" in self.model_fields_set


class Settings(BaseSettings):
    """Frozen; prefix SIXFOLD_, nested names joined by two underscores."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix="SIXFOLD_",
        env_nested_delimiter="__",
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
        raise SettingsInvalid(
            *(
                Problem(
                    code="setting_invalid",
                    where=".".join(str(part) for part in fault["loc"]),
                    message=re.sub(r"^Value error, ", "", fault["msg"]),
                    remedy="see the settings in the README",
                )
                for fault in error.errors()
            )
        ) from error
    except ValueError as error:
        problem = Problem(code="setting_invalid", where="sixfold.toml", message=str(error), remedy="mend the TOML")
        raise SettingsInvalid(problem) from error

"""What comes out about where models can be trained, and which."""

from datetime import date

from engagements.core.schemas import Out


class CatalogueModelOut(Out):
    """A model as the price book has it, to be trained or asked. Prices are US dollars; null: nobody publishes it."""

    provider: str
    model: str
    aliases: list[str]
    objectives: list[str]
    tuning: str
    training_usd: str | None
    training_unit: str
    input_usd_mtok: str | None
    output_usd_mtok: str | None
    max_example_tokens: int | None
    licence: str | None
    new_jobs_until: date | None
    takes_new_jobs: bool
    shutdown: date | None
    backends: list[str]
    as_of: str
    source: str


class CatalogueBackendOut(Out):
    """What is set up here. `problem`: why it cannot be used at the moment; its capabilities are unknown then."""

    name: str
    kind: str
    provider: str
    gpu: str
    methods: list[str]
    adapters: list[str]
    hyperparameters: list[str]
    formats: dict[str, str]
    can_pause: bool
    is_local: bool
    at_once: int | None
    problem: str


class CatalogueOut(Out):
    backends: list[CatalogueBackendOut]
    models: list[CatalogueModelOut]

"""A stand-in on a free port of this machine, in a thread, until the context ends."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from backends.protocol import Backend
from backends.stand_in.dialects import DIALECTS
from backends.stand_in.faults import Faults
from backends.stand_in.ledger import Ledger
from backends.stand_in.provider import Clock, Provider
from backends.stand_in.script import Script
from backends.stand_in.server import Handler, Server, StandIn
from backends.stand_in.specification import Specification
from backends.stand_in.trained import Trained

MODELS: Final[Mapping[str, str | None]] = {
    # The vendor's deprecations page (formats and training reference, section 1).
    "gpt-4o-mini-2024-07-18": "2027-01-14",
    "gpt-4.1-mini-2025-04-14": "2027-01-14",
    "large-1": None,
}


@contextmanager
def serving(
    folder: Path, *, port: int = 0, scale: float = 1.0, clock: Callable[[], float] | None = None,
    specification: Path | None = None, train_with: Backend | None = None, base_model: str = "", api_key: str = "",
    models: Mapping[str, str | None] = MODELS, dialect: str = "openai",
) -> Iterator[StandIn]:  # fmt: skip
    """`scale`: how many of the provider's seconds go by in one of ours; `clock`: the provider's time, where a test
    moves it. `train_with`: what really trains, on `base_model`; without it losses are made up, and events say so.
    `dialect`: openai, mistral or together; a specification is of OpenAI's alone. Raises `ValueError` for another."""
    if dialect not in DIALECTS or (specification is not None and dialect != "openai"):
        raise ValueError(f"{dialect} is not spoken here, or no specification is of it: use {', '.join(DIALECTS)}")
    ledger = Ledger(folder)
    trainer: Script | Trained = Script(ledger=ledger)
    if train_with is not None:
        trainer = Trained(ledger=ledger, backend=train_with, folder=folder / "runs", base_model=base_model)
    provider = Provider(
        ledger=ledger, trainer=trainer, faults=Faults(), models=models,
        clock=clock or Clock(scale=scale, not_before=ledger.latest()),
    )  # fmt: skip
    stand_in = StandIn(
        provider=provider, api_key=api_key, routes=DIALECTS[dialect], seconds=lambda provider_s: provider_s / scale,
        specification=Specification(specification) if specification else None,
    )  # fmt: skip
    with Server(("127.0.0.1", port), type("_Handler", (Handler,), {"stand_in": stand_in})) as server:
        stand_in.base_url = f"http://127.0.0.1:{server.server_port}/v1"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield stand_in
        finally:
            server.shutdown()
            thread.join()
            trainer.close()

"""Serves the stand-in until it is stopped: its address is the first line it writes."""

import argparse
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from backends import registry
from backends.protocol import Backend
from backends.stand_in.dialects import DIALECTS
from backends.stand_in.serving import serving


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m backends.stand_in", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where it keeps what it knows")
    parser.add_argument("--port", type=int, default=8124, help="0 takes a free one")
    parser.add_argument("--scale", type=float, default=1.0, help="its seconds in one of ours")
    parser.add_argument("--specification", type=Path, help="OpenAI's API description, as YAML that validators can use")
    parser.add_argument("--dialect", default="openai", choices=DIALECTS, help="whose paths and fields it speaks")
    parser.add_argument("--api-key", default="", help="refuse every other")
    parser.add_argument("--train-with", default="", metavar="KIND", help="really train, with this backend")
    parser.add_argument("--base-model", default="", metavar="FOLDER", help="what is then really trained")
    said = parser.parse_args(arguments)
    with serving(
        said.folder, port=said.port, scale=said.scale, specification=said.specification, api_key=said.api_key,
        train_with=_backend(said.train_with, said.folder), base_model=said.base_model,
        dialect=said.dialect,
    ) as stand_in:  # fmt: skip
        sys.stdout.write(f"{stand_in.base_url}\n")
        sys.stdout.flush()
        threading.Event().wait()


def _backend(kind: str, folder: Path) -> Backend | None:
    if not kind:
        return None
    return registry.make(kind, name=kind, settings={"folder": str(folder / "trained")})


if __name__ == "__main__":
    main()

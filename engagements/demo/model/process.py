"""The model's server as a process of its own, which the demo starts, waits for and ends."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from tempfile import TemporaryFile
from typing import IO, Final

import httpx

from engagements.demo.model.weights import laid_down

_READY_S: Final = 300.0
"""Loading takes ten seconds, and a minute more the first time; a machine that is busy takes its time for both."""
_HOST: Final = "127.0.0.1"
_LAST_WORDS: Final = 2_000


class ModelFailed(Exception):
    """The server ended, or does not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelServer:
    """`said`: what it wrote to its output and error streams."""

    base_url: str
    said: IO[bytes]

    def wait(self) -> None:
        """Until it answers. Raises `ModelFailed`."""
        try:
            httpx.get(f"{self.base_url}/models", timeout=_READY_S, trust_env=False).raise_for_status()
        except httpx.HTTPError as error:
            self.said.seek(0)
            last = self.said.read().decode(errors="replace")[-_LAST_WORDS:]
            raise ModelFailed(f"the local model does not answer ({error}): {last}") from error


def is_there() -> bool:
    """Whether `make` has laid the weights down and installed what loads them (extra `local`)."""
    return laid_down().is_file() and find_spec("torch") is not None and find_spec("transformers") is not None


@contextmanager
def serving_model() -> Iterator[ModelServer]:
    """Begins to load in the background. Who asks before it is ready waits: its socket listens from the beginning."""
    with closing(socket.create_server((_HOST, 0))) as listener, TemporaryFile() as said:
        number = listener.fileno()
        server = subprocess.Popen(  # noqa: S603  # our own module; nothing of a user's is in the line
            [sys.executable, "-m", "engagements.demo.model.serving", str(number)],
            pass_fds=[number], stdin=subprocess.PIPE, stdout=said, stderr=said,
            env=os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"},
        )  # fmt: skip
        port = listener.getsockname()[1]
        # Ours is closed: when the server ends, who asks it is refused and does not wait.
        listener.close()
        try:
            yield ModelServer(base_url=f"http://{_HOST}:{port}/v1", said=said)
        finally:
            server.terminate()
            server.communicate()

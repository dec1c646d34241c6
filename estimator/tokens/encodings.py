"""OpenAI's encodings without the network: tiktoken's own pattern and special tokens over rank files of this package.

The files in `ranks/` are laid there by `make`; each is checked against the sha256 that tiktoken itself expects.
Text that spells a special token ("<|endoftext|>") counts as the ordinary text it is.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from types import FunctionType
from typing import Any, Final

import numpy as np
import orjson
import tiktoken
from numpy.typing import NDArray
from tiktoken_ext import openai_public

from estimator.errors import EstimatorError, Problem, UnknownName
from estimator.tokens.function_block import function_block
from estimator.tokens.models import model_tokens
from estimator.tokens.training import ExampleTexts, example_texts

_KEPT_BYTES: Final = 64 * 1024

RANKS: Final = Path(__file__).parent / "ranks"
NAMES: Final = ("cl100k_base", "o200k_base")

# A special token of both encodings: a text in which it stands between two others is split there before anything
# else happens, so many texts are encoded in one call and their counts read off between the separators.
_SEPARATOR: Final = "<|endoftext|>"


class RanksUnusable(EstimatorError):
    """A rank file of this package is missing or is not the one tiktoken expects."""

    code = "ranks_unusable"


class Encoding:
    """One of `NAMES`. Counting releases the interpreter lock, so several threads count at once."""

    note = ""

    def __init__(self, tokens: tiktoken.Encoding) -> None:
        self._tokens = tokens
        self._separator_id = tokens.eot_token
        self.name = tokens.name

    def texts_of(self, example: Mapping[str, object]) -> ExampleTexts:
        """What OpenAI bills of a training example."""
        return example_texts(example, _block_of)

    def ids(self, text: str) -> list[int]:
        """Token ids of ordinary text."""
        return self._tokens.encode_ordinary(text)

    def count(self, text: str) -> int:
        return len(self.ids(text))

    def counts(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """How many tokens each text has, as int64; one call into tiktoken for all of them."""
        joined = _SEPARATOR.join(texts)
        if joined.count(_SEPARATOR) != len(texts) - 1 or not _is_unicode(joined):
            return np.array([self.count(text) for text in texts], dtype=np.int64)
        ids = self._tokens.encode_to_numpy(joined, allowed_special={_SEPARATOR}, disallowed_special=())
        ends = np.append(np.flatnonzero(ids == self._separator_id), len(ids))
        return np.diff(ends, prepend=-1) - 1


def encoding_for(model: str) -> Encoding:
    """The encoding of an OpenAI model or of a tune of it ("ft:<base>:<org>:<suffix>:<id>").

    Raises `UnknownName` for a model that is not listed, never a default, and `RanksUnusable` when the rank file
    of this package is missing or altered.
    """
    return encoding_named(model_tokens(model).encoding)


@cache
def encoding_named(name: str) -> Encoding:
    """`cl100k_base` or `o200k_base`, built once (0.15 s and 0.3 s). Raises `UnknownName`, `RanksUnusable`."""
    if name not in NAMES:
        raise UnknownName("encoding", name, known=NAMES, add=f"use one of {', '.join(NAMES)}")
    # The constructor's code runs over a copy of its module's names in which only the loader differs: the pattern and
    # the special tokens stay tiktoken's, and tiktoken itself is not patched.
    names = {**vars(openai_public), "load_tiktoken_bpe": _read_ranks}
    construct: Callable[[], dict[str, Any]] = FunctionType(getattr(openai_public, name).__code__, names)
    return Encoding(tiktoken.Encoding(**construct()))


def _block_of(functions: list[object]) -> str:
    """The function block of a row: most rows of a file declare the same functions, so blocks are kept for a while."""
    declared = orjson.dumps(functions)
    return _kept_block(declared) if len(declared) <= _KEPT_BYTES else function_block(functions)


@lru_cache(maxsize=32)
def _kept_block(declared: bytes) -> str:
    return function_block(orjson.loads(declared))


def _read_ranks(address: str, expected_hash: str | None = None) -> dict[bytes, int]:
    """Stands in for tiktoken's downloader: same arguments, same answer, same refusal of altered bytes."""
    file = RANKS / address.rpartition("/")[2]
    if not file.is_file():
        raise RanksUnusable(_rank_problem(file, "missing"))
    raw = file.read_bytes()
    if hashlib.sha256(raw).hexdigest() != expected_hash:
        raise RanksUnusable(_rank_problem(file, "altered"))
    return {base64.b64decode(token): int(rank) for token, rank in map(bytes.split, raw.splitlines())}


def _rank_problem(file: Path, what: str) -> Problem:
    message = f"the tokeniser ranks {file.name} of this package are {what}"
    return Problem(
        code=f"ranks_{what}", message=message, remedy="run `make` in the project or install the package again"
    )


def _is_unicode(text: str) -> bool:
    """False for a lone surrogate, which no encoding of Unicode can write."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

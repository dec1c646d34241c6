"""The model at work: chat messages in, text out, every token counted. Loads PyTorch; for a process of its own.

In float32 and with one thread a request: it is the quicker precision on processors without bfloat16 instructions, and
threads that share a busy core cost more than they bring (stack reference, section 5.2).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache

from engagements.demo.model.filling import fill

_ENOUGH_TOKENS: Final = 16
_STRING_TOKENS_MAX: Final = 96
"""A string ends with its first sentence after so many tokens, or here: a model of this size finds no end by itself."""
_SENTENCE_ENDS: Final = (".", "!", "?")


class TooLong(ValueError):
    """Prompt and answer do not fit into the model's context together."""


class _Full(Exception):
    """The answer is as long as it may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """`finish_reason`: stop, or length where it was cut off."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


class LocalModel:
    """Threads may share it: weights are only read, and each answer has a state of its own."""

    def __init__(self, folder: Path) -> None:
        torch.set_num_threads(1)
        tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self.tokenizer = tokenizer
        network: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        self.network = network.eval()
        pieces: list[str] = self.tokenizer.batch_decode([[number] for number in range(len(self.tokenizer))])
        special = set(self.tokenizer.all_special_ids)
        self.closes = torch.tensor([piece.startswith('"') for piece in pieces])
        inside = [number not in special and _is_inside(piece) for number, piece in enumerate(pieces)]
        self.in_string = torch.tensor(inside) | self.closes

    def write(
        self, messages: Sequence[Mapping[str, str]], *, most: int, temperature: float, seed: int,
        shape: Mapping[str, Any] | None,
    ) -> Written:  # fmt: skip
        """The same again for the same seed; `temperature` 0 takes the likeliest token. `shape`: the JSON schema of it.

        Raises `TooLong` and `filling.ShapeRefused`.
        """
        prompt = self.tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=True)
        # The template writes the special tokens itself.
        ids = self.tokenizer(prompt, add_special_tokens=False).input_ids
        if len(ids) + most > self.network.config.max_position_embeddings:
            raise TooLong(f"{len(ids)} tokens and {most} more are too many for this model")
        pen = _Pen(model=self, most=most, temperature=temperature, chance=torch.Generator().manual_seed(seed))
        with torch.inference_mode():
            pen.read(ids)
            reason = pen.write(shape)
        return Written(
            text=self.tokenizer.decode(pen.written), finish_reason=reason, prompt_tokens=len(ids),
            completion_tokens=len(pen.written),
        )  # fmt: skip


@dataclass(kw_only=True)
class _Pen:
    """One answer as it is written. `next`: how likely each token is to come after all that was read."""

    model: LocalModel
    most: int
    temperature: float
    chance: torch.Generator
    written: list[int] = field(default_factory=list)
    _cache: Any = field(default_factory=DynamicCache)
    _next: Any = None

    def write(self, shape: Mapping[str, Any] | None) -> str:
        """The reason why it ended."""
        try:
            if shape is None:
                self._write_freely()
            else:
                fill(shape, self)
        except _Full:
            return "length"
        return "stop"

    def read(self, ids: Sequence[int]) -> None:
        seen = self.model.network(
            input_ids=torch.tensor([ids]), past_key_values=self._cache, use_cache=True, logits_to_keep=1
        )
        self._next = seen.logits[0, -1]

    def put(self, text: str) -> None:
        self._add(self._ids(text))

    def choose(self, options: Sequence[str]) -> None:
        left, place = [self._ids(option) for option in options], 0
        while len(left) > 1 and all(place < len(option) for option in left):
            likeliest = max({option[place] for option in left}, key=lambda token: float(self._next[token]))
            left = [option for option in left if option[place] == likeliest]
            self._add([likeliest])
            place += 1
        self._add(left[0][place:])

    def write_string(self) -> None:
        for count in range(1, _STRING_TOKENS_MAX + 1):
            token = self._drawn(self.model.in_string)
            if self.model.closes[token]:
                return
            self._add([token])
            ends = self.model.tokenizer.decode([token]).rstrip().endswith(_SENTENCE_ENDS)
            if ends and count >= _ENOUGH_TOKENS:
                return

    def _write_freely(self) -> None:
        while (token := self._drawn(None)) != self.model.tokenizer.eos_token_id:
            self._add([token])

    def _add(self, ids: Sequence[int]) -> None:
        fitting = ids[: self.most - len(self.written)]
        self.written += fitting
        if len(fitting) < len(ids):
            raise _Full
        if ids:
            self.read(ids)

    def _drawn(self, allowed: Any) -> int:
        scores = self._next if allowed is None else self._next.masked_fill(~allowed, float("-inf"))
        if not self.temperature:
            return int(scores.argmax())
        shares = torch.softmax(scores / self.temperature, dim=-1)
        return int(torch.multinomial(shares, 1, generator=self.chance))

    def _ids(self, text: str) -> list[int]:
        found: list[int] = self.model.tokenizer(text, add_special_tokens=False).input_ids
        return found


def _is_inside(piece: str) -> bool:
    return bool(piece) and '"' not in piece and "\\" not in piece and piece.isprintable()

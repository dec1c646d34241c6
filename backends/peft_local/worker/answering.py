"""`python -m backends.peft_local.worker.answering BASE`: a question a line on standard input, an answer a line on
standard output, until the input ends. One base model stays loaded; adapters over it are read once and swapped.

Prompts are written by the tokenizer's own chat template, the one that training used: their digests are compared.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

os.environ["HF_HUB_OFFLINE"] = "1"  # before transformers is imported

import torch
from peft import PeftModel

from backends.errors import CheckpointInvalid
from backends.peft_local.models import base_sha256
from backends.peft_local.rows import RowInvalid, for_template
from backends.peft_local.worker.artefact import admitted
from backends.peft_local.worker.encoding import Encoder, TemplateRefused, rendered, template_sha256
from backends.peft_local.worker.model import base_in, device_named, dtype_of, tokenizer_in
from backends.spec import Precision

_TOGETHER: Final = 16
"""Conversations that are answered at once, of about the same length."""


class Unanswerable(ValueError):
    """What was asked cannot be answered by any model of this kind."""


@dataclass(slots=True, kw_only=True)
class Answering:
    """A base model, and the adapters that were asked for over it, by their folder and digest."""

    network: Any
    tokenizer: Any
    stops: list[int]
    base_sha256: str
    _names: dict[tuple[str, str], str] = field(default_factory=dict)

    def load(self, weights: str | None) -> str | None:
        """The adapter's name here. Its bytes are checked whenever it is named: files can change under a loaded name.

        Raises `CheckpointInvalid`.
        """
        if weights is None:
            return None
        folder = Path(weights)
        manifest = admitted(folder)
        if manifest.template_sha256 != template_sha256(self.tokenizer):
            raise CheckpointInvalid("it was trained with another chat template than the base model has now")
        if manifest.base_sha256 != self.base_sha256:
            raise CheckpointInvalid("it was trained over another base model")
        key = (weights, manifest.weights_sha256)
        if key not in self._names:
            name = f"adapter_{len(self._names)}"
            if isinstance(self.network, PeftModel):
                self.network.load_adapter(folder, adapter_name=name, is_trainable=False)
            else:
                self.network = PeftModel.from_pretrained(self.network, folder, adapter_name=name, is_trainable=False)
            self.network.eval()
            self._names[key] = name
        return self._names[key]

    def answer(self, weights: str | None, asked: Mapping[str, Any]) -> list[dict[str, object]]:
        """In order. Raises `CheckpointInvalid`, `Unanswerable`."""
        name = self.load(weights)
        prompts = [self._prompt(each) for each in asked["conversations"]]
        by_length = sorted(range(len(prompts)), key=lambda number: len(prompts[number]))
        found: dict[int, dict[str, object]] = {}
        with self._speaking(name), torch.no_grad():
            for start in range(0, len(by_length), _TOGETHER):
                numbers = by_length[start : start + _TOGETHER]
                told = self._generated([prompts[number] for number in numbers], asked)
                found |= dict(zip(numbers, told, strict=True))
        return [found[number] for number in range(len(prompts))]

    def _prompt(self, conversation: Sequence[Mapping[str, Any]]) -> list[int]:
        try:
            text = rendered(self.tokenizer, for_template(conversation), prompt=True)
        except (RowInvalid, TemplateRefused) as error:
            raise Unanswerable(str(error)) from error
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def _generated(self, prompts: Sequence[Sequence[int]], asked: Mapping[str, Any]) -> Iterator[dict[str, object]]:
        longest = max(len(each) for each in prompts)
        padding = self.tokenizer.pad_token_id if self.tokenizer.pad_token_id is not None else self.stops[0]
        ids = torch.tensor([[padding] * (longest - len(each)) + list(each) for each in prompts])
        mask = torch.tensor([[0] * (longest - len(each)) + [1] * len(each) for each in prompts])
        warm = float(asked["temperature"])
        torch.manual_seed(0)
        out = self.network.generate(
            input_ids=ids.to(self.network.device), attention_mask=mask.to(self.network.device),
            max_new_tokens=int(asked["max_tokens"]), do_sample=warm > 0, temperature=warm or None, top_p=None,
            top_k=None,
            pad_token_id=padding, eos_token_id=self.stops,
        )  # fmt: skip
        for prompt, row in zip(prompts, out[:, longest:].tolist(), strict=True):
            ends = next((place for place, token in enumerate(row) if token in self.stops), None)
            written = row if ends is None else row[:ends]
            text = self.tokenizer.decode(written, skip_special_tokens=True)
            counted = len(row) if ends is None else ends + 1
            yield {
                "text": text, "finished": ends is not None, "prompt_tokens": len(prompt), "completion_tokens": counted
            }  # fmt: skip

    def _speaking(self, name: str | None) -> Any:
        """A context in which the adapter is in place, or none is."""
        if name is not None:
            self.network.set_adapter(name)
            return torch.enable_grad()
        return self.network.disable_adapter() if isinstance(self.network, PeftModel) else torch.enable_grad()


def opened(base: Path, tokenizer_folder: Path, device: torch.device) -> Answering:
    tokenizer = tokenizer_in(tokenizer_folder)
    network = base_in(base, dtype=dtype_of(Precision.AUTO, device), device=device)
    network.eval()
    end_of_turn = Encoder(tokenizer, max_length=1).end_of_turn
    told = network.generation_config.eos_token_id
    stops = {*(told if isinstance(told, list) else [told]), tokenizer.eos_token_id}
    stops |= {tokenizer.convert_tokens_to_ids(end_of_turn)} if end_of_turn else set()
    return Answering(
        network=network, tokenizer=tokenizer, stops=sorted(each for each in stops if each is not None),
        base_sha256=base_sha256(base),
    )  # fmt: skip


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m backends.peft_local.worker.answering", description=__doc__)
    parser.add_argument("base", type=Path, help="the folder of a base model, or of a model that was trained in full")
    parser.add_argument("--tokenizer", type=Path, help="the folder of its tokenizer; the base's own unless told")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=1)
    told = parser.parse_args(arguments)
    torch.set_num_threads(told.threads)
    # Answers alone go to standard output, whatever a library wants to say.
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    model: Answering | None = None
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        try:
            if model is None:
                if (told.base / "manifest.json").exists():
                    admitted(told.base)
                model = opened(told.base, told.tokenizer or told.base, device_named(told.device))
            answer = _answered(model, asked)
        except CheckpointInvalid as error:
            answer = {"error": {"code": error.code, "message": str(error)}}
        except Unanswerable as error:
            answer = {"error": {"code": "conversation_refused", "message": str(error)}}
        answers.write(json.dumps({**answer, "id": asked["id"]}).encode() + b"\n")


def _answered(model: Answering, asked: Mapping[str, Any]) -> dict[str, object]:
    if asked["do"] == "load":
        model.load(asked["weights"])
        return {}
    return {"answers": model.answer(asked["weights"], asked)}


if __name__ == "__main__":
    main(sys.argv[1:])

"""Tokens of models that come with their own tokenizer.json, counted in the model's chat template.

Needs the optional package `tokenizers` (extra `open-models`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from estimator.errors import DatasetUnreadable, EstimatorError, Problem, UnknownName
from estimator.tokens.training import ExampleTexts, content_texts

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class ExtraMissing(EstimatorError):
    """An optional package is not installed."""

    code: ClassVar[str] = "extra_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatTemplate:
    """How a family of models writes a conversation. `{role}` and `{content}` are filled in, per message.

    `signs` are the special tokens by which a tokenizer.json is recognised. Without a form for `system` its text goes
    in front of the first user message. A special token stands between any two turns, so turns are counted one by one.
    """

    name: str
    signs: frozenset[str]
    turn: str
    start: str = ""
    system: str | None = None
    assistant: str | None = None
    assistant_role: str = "assistant"


# From the chat templates published with the models, read November 2026. Dates, default system prompts and tools that
# some of these templates add are not written here.
TEMPLATES: Final = {
    template.name: template
    for template in (
        ChatTemplate(
            name="phi4",
            signs=frozenset({"<|im_start|>", "<|im_sep|>", "<|im_end|>"}),
            turn="<|im_start|>{role}<|im_sep|>{content}<|im_end|>",
            system="<|im_start|>system<|im_sep|>{content}<|im_end|>",
        ),
        ChatTemplate(
            name="chatml",
            signs=frozenset({"<|im_start|>", "<|im_end|>"}),
            turn="<|im_start|>{role}\n{content}<|im_end|>\n",
            system="<|im_start|>system\n{content}<|im_end|>\n",
        ),
        ChatTemplate(
            name="llama3",
            signs=frozenset({"<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"}),
            start="<|begin_of_text|>",
            turn="<|start_header_id|>{role}<|end_header_id|>\n\n{content}<|eot_id|>",
            system="<|start_header_id|>system<|end_header_id|>\n\n{content}<|eot_id|>",
        ),
        ChatTemplate(
            name="mistral",
            signs=frozenset({"[INST]", "[/INST]"}),
            start="<s>",
            turn="[INST] {content}[/INST]",
            assistant=" {content}</s>",
        ),
        ChatTemplate(
            name="gemma",
            signs=frozenset({"<start_of_turn>", "<end_of_turn>"}),
            start="<bos>",
            turn="<start_of_turn>{role}\n{content}<end_of_turn>\n",
            assistant_role="model",
        ),
        ChatTemplate(
            name="phi3",
            signs=frozenset({"<|user|>", "<|assistant|>", "<|end|>"}),
            turn="<|{role}|>\n{content}<|end|>\n",
            system="<|system|>\n{content}<|end|>\n",
        ),
    )
}

PLAIN: Final = ChatTemplate(name="plain", signs=frozenset(), turn="{content}", system="{content}")


class OpenTokeniser:
    """A tokenizer.json and the chat template its examples are written in."""

    def __init__(self, name: str, tokenizer: "Tokenizer", template: ChatTemplate) -> None:
        self.name, self.template, self._tokenizer = name, template, tokenizer

    @classmethod
    def load(cls, path: Path, *, template: str | None = None) -> "OpenTokeniser":
        """Read a tokenizer.json, or the one in a model folder.

        `template` is a name from `TEMPLATES`; without it the special tokens in the file decide, and where they tell
        nothing only the texts are counted (`note` says so). Raises `ExtraMissing` without the package `tokenizers`,
        `DatasetUnreadable` for a file that is no tokenizer, `UnknownName` for another template.
        """
        if template is not None and template not in TEMPLATES:
            raise UnknownName("template", template, known=TEMPLATES, add=f"use one of {', '.join(TEMPLATES)}")
        file = path / "tokenizer.json" if path.is_dir() else path
        tokenizer = _tokenizer(file)
        known = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
        recognised = (found for found in TEMPLATES.values() if found.signs <= known)
        return cls(file.parent.name, tokenizer, TEMPLATES[template] if template else next(recognised, PLAIN))

    @property
    def note(self) -> str:
        """What is not counted; empty when all of it is."""
        return "the chat template is unknown: texts are counted, not its markers" if self.template is PLAIN else ""

    def count(self, text: str) -> int:
        return int(self.counts([text])[0])

    def counts(self, texts: Sequence[str]) -> NDArray[np.int64]:
        readable = [text.encode(errors="replace").decode() for text in texts]
        encoded = self._tokenizer.encode_batch_fast(readable, add_special_tokens=False)
        return np.fromiter(map(len, encoded), np.int64, len(texts))

    def texts_of(self, example: Mapping[str, object]) -> ExampleTexts:
        """The turns of a chat example as the template writes them; tools are not part of it.

        The whole turn of the assistant counts as its answer, so that every turn is encoded in one piece.
        """
        template, messages = self.template, example.get("messages")
        repeated, prompts, answers = [template.start] if template.start else [], list[str](), list[str]()
        before_user = ""
        for message in messages if isinstance(messages, list) else []:
            # Calls count by their name and arguments, which most templates write as JSON.
            content = "\n".join(content_texts(message)) if isinstance(message, dict) else ""
            role = str(message.get("role")) if isinstance(message, dict) else ""
            if role == "assistant":
                form = template.assistant or template.turn
                answers.append(form.replace("{role}", template.assistant_role).replace("{content}", content))
            elif role != "system":
                prompts.append(template.turn.replace("{role}", role).replace("{content}", before_user + content))
                before_user = ""
            elif template.system is None:
                before_user += f"{content}\n\n"
            else:
                repeated.append(template.system.replace("{content}", content))
        return ExampleTexts(0, repeated, prompts, answers)


def _tokenizer(file: Path) -> "Tokenizer":
    try:
        package = import_module("tokenizers")
    except ModuleNotFoundError as error:
        message, remedy = "counting with a tokenizer.json needs tokenizers", "pip install 'sixfold[open-models]'"
        raise ExtraMissing(Problem(code="extra_missing", message=message, remedy=remedy)) from error
    try:
        text = file.read_text("utf-8")
        json.loads(text)
        tokenizer: Tokenizer = package.Tokenizer.from_str(text)
    except Exception as error:  # The package raises bare Exceptions for what it cannot read.
        raise DatasetUnreadable(
            Problem(
                code="tokenizer_unreadable",
                message=f"{file.name} is no tokenizer: {error}"[:200],
                remedy="give the tokenizer.json of the model, or the folder that holds it",
            )
        ) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer

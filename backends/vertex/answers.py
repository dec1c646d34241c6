"""Asking a model on Vertex AI: a tuned one through its endpoint, a base model by its name."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

from google.genai.types import (
    Content,
    FinishReason,
    GenerateContentConfig,
    GenerateContentResponse,
    Part,
    ThinkingConfig,
)

from backends.errors import AnswerInvalid, ProviderRefused
from backends.protocol import Prediction
from backends.vertex.project import Project, reading

_ATTEMPTS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class GeminiPredictor:
    """`at_once`: conversations under way together. `thinking_budget`: tokens it may think before it answers, which
    count against the limit; None leaves it to the model."""

    project: Project
    model: str
    at_once: int = 4
    thinking_budget: int | None = None

    def predict_many(
        self, conversations: Sequence[Sequence[Mapping[str, object]]], *, max_tokens: int, temperature: float = 0.0
    ) -> list[Prediction]:
        asked = partial(self._answer, max_tokens=max_tokens, temperature=temperature)
        with ThreadPoolExecutor(max_workers=self.at_once) as threads:
            return list(threads.map(asked, conversations))

    def close(self) -> None:
        return None

    def _answer(self, turns: Sequence[Mapping[str, object]], *, max_tokens: int, temperature: float) -> Prediction:
        system = "\n\n".join(_text(turn) for turn in turns if turn["role"] == "system")
        thinking = None if self.thinking_budget is None else ThinkingConfig(thinking_budget=self.thinking_budget)
        config = GenerateContentConfig(
            system_instruction=system or None, max_output_tokens=max_tokens, temperature=temperature,
            thinking_config=thinking,
        )  # fmt: skip
        contents = [_content(turn) for turn in turns if turn["role"] != "system"]
        begun = time.monotonic()
        with reading():
            client = self.project.client(attempts=_ATTEMPTS)
            answer = client.models.generate_content(model=self.model, contents=contents, config=config)
        return _prediction(answer, seconds=time.monotonic() - begun)


def _content(turn: Mapping[str, object]) -> Content:
    role = "model" if turn["role"] == "assistant" else "user"
    return Content(role=role, parts=[Part(text=_text(turn))])


def _text(turn: Mapping[str, object]) -> str:
    content = turn.get("content")
    parts = content if isinstance(content, list) else [{"text": content or ""}]
    return "".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))


def _prediction(answer: GenerateContentResponse, *, seconds: float) -> Prediction:
    """Raises `ProviderRefused` where Google's filters let nothing through: that is no wrong answer, but none."""
    feedback = answer.prompt_feedback
    if feedback and feedback.block_reason:
        raise ProviderRefused("Google's filters took the question", provider_code=str(feedback.block_reason.value))
    if not answer.candidates:
        raise AnswerInvalid("Vertex answered without a candidate")
    said = answer.candidates[0]
    parts = (said.content.parts if said.content else None) or []
    usage = answer.usage_metadata
    return Prediction(
        text="".join(part.text for part in parts if part.text and not part.thought),
        finished=said.finish_reason is FinishReason.STOP,
        prompt_tokens=usage.prompt_token_count if usage else None,
        completion_tokens=usage.candidates_token_count if usage else None,
        seconds=seconds,
    )

"""Answers of a model. Each costs money, so what may have been answered is not asked for again; what was refused for
haste is, after the time that was named."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from backends.errors import AnswerInvalid, ProviderRefused, Unreachable
from backends.openai_api import answers
from backends.openai_api.profiles import Profile
from backends.openai_api.wire import Refused, Wire
from backends.protocol import Prediction

_TOO_MANY: Final = 429
_WAITS_MAX: Final = 5
_WAIT_S: Final = 1.0
_WAIT_S_MAX: Final = 60.0
_OUT_OF_MONEY: Final = frozenset({"insufficient_quota", "exceeded_quota", "billing_hard_limit_reached"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatPredictor:
    """Several questions at once, the answers in the order of the questions."""

    wire: Wire
    profile: Profile
    model: str
    at_once: int
    sleep: Callable[[float], None] = time.sleep

    def predict_many(
        self, conversations: Sequence[Sequence[Mapping[str, object]]], *, max_tokens: int, temperature: float = 0.0
    ) -> list[Prediction]:
        assert max_tokens > 0
        with ThreadPoolExecutor(max_workers=self.at_once) as pool:
            asked = [pool.submit(self._answer, each, max_tokens, temperature) for each in conversations]
            try:
                return [each.result() for each in asked]
            except BaseException:
                # One refusal is all: the rest would cost as much and end the same way.
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def close(self) -> None:
        self.wire.close()

    def _answer(self, conversation: Sequence[Mapping[str, object]], max_tokens: int, temperature: float) -> Prediction:
        body = {
            "model": self.model, "messages": list(conversation), "temperature": temperature,
            self.profile.limit_field: max_tokens,
        }  # fmt: skip
        began = time.monotonic()
        return _prediction(self._asked(body), time.monotonic() - began)

    def _asked(self, body: Mapping[str, object]) -> answers.Completion:
        for waits in range(_WAITS_MAX + 1):
            try:
                return self.wire.send(
                    "/chat/completions", body, answers.Completion, deadline_s=self.wire.limits.completion_s
                )
            except Refused as refused:
                wait_s = _WAIT_S * 2**waits if refused.retry_after_s is None else refused.retry_after_s
                if not _is_haste(refused) or waits == _WAITS_MAX or wait_s > _WAIT_S_MAX:
                    raise _meaning(refused, wait_s) from refused
                self.sleep(wait_s)
        raise AssertionError("the last round returns or raises")


def _is_haste(refused: Refused) -> bool:
    return refused.status == _TOO_MANY and refused.code not in _OUT_OF_MONEY


def _meaning(refused: Refused, wait_s: float) -> Unreachable | ProviderRefused:
    if _is_haste(refused) or (not refused.is_certain and refused.code not in _OUT_OF_MONEY):
        return Unreachable(str(refused), retry_in_s=wait_s)
    return ProviderRefused(str(refused), provider_code=refused.code, param=refused.param)


def _prediction(said: answers.Completion, seconds: float) -> Prediction:
    choice = said.choices[0]
    if choice.finish_reason is None:
        raise AnswerInvalid("an answer that does not say why it ends may be cut")
    message = choice.message
    text = message.content or message.refusal or ""
    if message.tool_calls:
        # What a model calls is its answer: as one JSON object, so that a metric can compare it.
        calls = [{"name": each.function.name, "arguments": each.function.arguments} for each in message.tool_calls]
        text = json.dumps({"content": message.content, "tool_calls": calls}, sort_keys=True)
    usage = said.usage
    return Prediction(
        text=text, finished=choice.finish_reason != "length", seconds=seconds,
        prompt_tokens=usage.prompt_tokens if usage else None,
        completion_tokens=usage.completion_tokens if usage else None,
    )  # fmt: skip

"""Asking a model on Bedrock, through the Converse operation of its runtime."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from backends.bedrock.account import Account, reading
from backends.errors import AnswerInvalid, ProviderRefused
from backends.protocol import Prediction

_ATTEMPTS: Final = 4
_BY_ITSELF: Final = frozenset({"end_turn", "stop_sequence", "tool_use"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversePredictor:
    """`target`: a base model, a deployment or a provisioned throughput. `at_once`: conversations under way together."""

    account: Account
    target: str
    at_once: int = 4

    def predict_many(
        self, conversations: Sequence[Sequence[Mapping[str, object]]], *, max_tokens: int, temperature: float = 0.0
    ) -> list[Prediction]:
        limits = {"maxTokens": max_tokens, "temperature": temperature}
        with ThreadPoolExecutor(max_workers=self.at_once) as threads:
            return list(threads.map(lambda each: self._answer(each, limits), conversations))

    def close(self) -> None:
        return None

    def _answer(self, conversation: Sequence[Mapping[str, object]], limits: Mapping[str, float]) -> Prediction:
        system = [block for turn in conversation if turn["role"] == "system" for block in _blocks(turn)]
        turns = [{"role": turn["role"], "content": _blocks(turn)} for turn in conversation if turn["role"] != "system"]
        begun = time.monotonic()
        with reading():
            answer = self.account.client("bedrock-runtime", attempts=_ATTEMPTS).converse(
                modelId=self.target,
                messages=turns,
                inferenceConfig=dict(limits),
                **({"system": system} if system else {}),
            )
        return _prediction(answer, seconds=time.monotonic() - begun)


def target_of(account: Account, model: str) -> str:
    """What Converse is asked for this model: a tuned one answers only where somebody deployed it.

    Raises `ProviderRefused` where nobody did.
    """
    if ":custom-model/" not in model:
        return model
    bedrock = account.client("bedrock")
    with reading():
        found = bedrock.list_custom_model_deployments(modelArnEquals=model, statusEquals="Active")
        if deployed := found.get("modelDeploymentSummaries"):
            return str(deployed[0]["customModelDeploymentArn"])
        found = bedrock.list_provisioned_model_throughputs(modelArnEquals=model, statusEquals="InService")
        if provisioned := found.get("provisionedModelSummaries"):
            return str(provisioned[0]["provisionedModelArn"])
    raise ProviderRefused(
        f"{model} is not deployed, so it cannot answer",
        provider_code="not_deployed",
        remedy="aws bedrock create-custom-model-deployment --model-deployment-name NAME --model-arn ARN, or buy a "
        "provisioned throughput",
    )


def _blocks(turn: Mapping[str, object]) -> list[dict[str, object]]:
    content = turn.get("content")
    if isinstance(content, str):
        return [{"text": content}]
    parts = content if isinstance(content, list) else []
    return [{"text": str(part["text"])} for part in parts if isinstance(part, dict) and "text" in part]


def _prediction(answer: Mapping[str, Any], *, seconds: float) -> Prediction:
    try:
        blocks = answer["output"]["message"]["content"]
        text = "".join(block.get("text", "") for block in blocks)
        reason = answer["stopReason"]
    except (KeyError, TypeError, AttributeError) as error:
        raise AnswerInvalid("Converse answered without a message") from error
    usage = answer.get("usage") or {}
    return Prediction(
        text=text, finished=reason in _BY_ITSELF, prompt_tokens=usage.get("inputTokens"),
        completion_tokens=usage.get("outputTokens"), seconds=seconds,
    )  # fmt: skip

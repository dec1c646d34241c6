"""What Vertex AI and Amazon Bedrock say of a training file.

Sources: "About supervised fine-tuning for Gemini models" (limits for Gemini 2.5); "Preparing data for SFT on Amazon
Nova 2", "Fine-tune Amazon Nova models" and "Prepare data for fine-tuning text-to-text models" of AWS; Anthropic's
cookbook on tuning Claude 3 Haiku on Bedrock.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from engagements.phases.data_preparation.formats.prediction import (
    Effect,
    Hit,
    Line,
    Rules,
    Saying,
    at_least,
    at_most,
    no_larger_than,
)
from engagements.phases.data_preparation.formats.turns import roles

_GIB: Final = 1024**3
_GEMINI_TOKENS: Final = 131_072
# Bedrock's rule of thumb for its quotas: about six characters a token. Four is the more careful one for English.
_CHARS_A_TOKEN: Final = 4

_GEMINI_LONG: Final = Saying(
    code="example_too_long", effect=Effect.CUT, source="Gemini 2.5: 131,072 tokens an example",
    words="Line {line}: about {tokens:,} tokens (4 bytes each), and 131,072 are allowed", remedy="shorten the example",
)  # fmt: skip
_GEMINI_MANY: Final = Saying(
    code="too_many_examples", source="Gemini 2.5: 1M text examples", remedy="leave some out",
    words="The dataset has {examples} examples, and at most 1000000 are allowed",
)  # fmt: skip
_GEMINI_BIG: Final = Saying(
    code="file_too_large", source="Gemini 2.5: 1 GB a file", remedy="train on less",
    words="The training file has {gigabytes} GB, and 1 GB is allowed",
)  # fmt: skip
_GEMINI_FEW: Final = Saying(
    code="few_examples", effect=Effect.ADVICE, source="guide: start with 100 examples", remedy="add examples",
    words="{examples} examples; the guide recommends to start with 100",
)  # fmt: skip
_GEMINI_ROLE: Final = Saying(
    code="INVALID_ARGUMENT", source="guide: the roles of contents are user and model",
    words="Line {line}: the last content must be of role model", remedy="end the conversation with an answer",
)  # fmt: skip
_BEDROCK_SHAPE: Final = Saying(
    code="ValidationException", exact=True, source="AWS's guide",
    words="Input data at line {line} must follow '{{\"prompt\": ..., \"completion\": ...}}' format",
    remedy="give both a text that is not empty",
)  # fmt: skip
_ALTERNATE: Final = Saying(
    code="ValidationException", source="AWS on Nova, Anthropic on Haiku: first user, last assistant, alternating",
    words="Line {line}: {what}", remedy="let user and assistant take turns, the user first, the assistant last",
)  # fmt: skip
_TWO: Final = Saying(
    code="ValidationException", source="Anthropic's cookbook: at least two messages",
    words="Line {line}: there must be at least two messages", remedy="add the question or the answer",
)  # fmt: skip
_NOVA_FEW: Final = Saying(
    code="few_examples", effect=Effect.ADVICE, source="AWS on Nova: at least 100 samples a task",
    words="{examples} examples; at least 100 a task are recommended", remedy="add examples",
)  # fmt: skip
_NOVA_TOOLS: Final = Saying(
    code="tools_may_fail", effect=Effect.ADVICE, exact=True, source="AWS, Supervised fine-tuning on Amazon Nova 2.0",
    words="Tool usage - Although tool usage is supported in the input format, it is not currently supported by Amazon "
    "Nova 2.0 SFT. Adding tool sections might cause your job to fail.",
    remedy="train Nova with tools through SageMaker or Nova Forge, or without tools",
)  # fmt: skip


def _gemini_contents(line: Line) -> Iterator[Hit]:
    if line.row["contents"][-1]["role"] != "model":
        yield _GEMINI_ROLE.at("contents")
    if len(line.content) > _CHARS_A_TOKEN * _GEMINI_TOKENS and b"inlineData" not in line.content:
        yield _GEMINI_LONG.at(tokens=len(line.content) // _CHARS_A_TOKEN)


def _both_texts(line: Line) -> Iterator[Hit]:
    if not all(isinstance(text, str) and text.strip() for text in line.row.values()):
        yield _BEDROCK_SHAPE.at()


def _take_turns(line: Line) -> Iterator[Hit]:
    spoken = roles(line.row["messages"])
    if len(spoken) < 2:
        yield _TWO.at("messages")
    elif spoken[0] != "user" or spoken[-1] != "assistant":
        yield _ALTERNATE.at("messages", what="the first message is the user's and the last the assistant's")
    elif any(one == other for one, other in pairwise(spoken)):
        yield _ALTERNATE.at("messages", what="user and assistant messages must alternate")


def _tool_sections(line: Line) -> Iterator[Hit]:
    if "toolConfig" in line.row and "said" not in line.facts.seen:
        line.facts.seen["said"] = set()
        yield _NOVA_TOOLS.at("toolConfig")


GEMINI: Final = Rules(
    rows=(_gemini_contents,),
    file=(at_least(100, _GEMINI_FEW), at_most(1_000_000, _GEMINI_MANY), no_larger_than(_GIB, _GEMINI_BIG)),
)
BEDROCK_PROMPT: Final = Rules(rows=(_both_texts,))
NOVA: Final = Rules(rows=(_take_turns, _tool_sections), file=(at_least(100, _NOVA_FEW),))
ANTHROPIC: Final = Rules(rows=(_take_turns,))

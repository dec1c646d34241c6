"""Which format rows are in, by their keys and by what stands under them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from engagements.phases.data_preparation.formats.format import Format
from engagements.phases.data_preparation.formats.registry import FORMATS

# The most telling signs first: each of these is looked for before the next could claim its rows.
_ORDER: Final = (
    "openai_dpo", "openai_rft", "sharegpt", "trl_preference", "kto", "bedrock_converse", "gemini", "anthropic_bedrock",
    "trl_messages", "openai_chat", "bedrock_prompt", "trl_prompt_completion", "alpaca", "vertex_text", "csv",
)  # fmt: skip


def detect(sample: Iterable[Mapping[str, Any]]) -> Format | None:
    """The format that all rows of a sample are in; None where there is none, or no row.

    Where providers share a format it is the first of them: reading is the same.
    """
    rows = list(sample)
    if not rows:
        return None
    found = (FORMATS[name] for name in _ORDER if all(FORMATS[name].detects(row) for row in rows))
    return next(found, None)

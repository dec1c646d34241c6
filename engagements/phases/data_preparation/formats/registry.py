"""Every format by its name."""

from collections.abc import Callable, Mapping
from typing import Final

from engagements.phases.data_preparation.formats import (
    bedrock,
    chat_dialects,
    cloud_rules,
    gemini,
    llama_factory,
    open_model_rules,
    openai_chat,
    openai_rft,
    openai_rules,
    pairs,
    preference_pairs,
    trainer_rules,
    trl,
)
from engagements.phases.data_preparation.formats.format import Format
from engagements.phases.data_preparation.formats.prediction import Row, Rules
from engagements.phases.data_preparation.records import Record
from estimator.errors import UnknownName
from estimator.tokens.json_row import BOM

_PROMPT: Final = pairs.Pair(question="prompt", answer="completion")
_VERTEX_TEXT: Final = pairs.Pair(question="input_text", answer="output_text")


def _is_chat(row: Row) -> bool:
    return "messages" in row


def _chat(
    name: str, provider: str, row_of: Callable[[Record], Row | None], rules: Rules, *, head: bytes = b""
) -> Format:
    return Format(
        name=name,
        provider=provider,
        detects=_is_chat,
        reads=openai_chat.read,
        row_of=row_of,
        rules=rules,
        head=head,
    )


def _preference(name: str, provider: str, rules: Rules) -> Format:
    return Format(
        name=name, provider=provider, detects=preference_pairs.detects, reads=preference_pairs.read,
        row_of=preference_pairs.row_of, rules=rules,
    )  # fmt: skip


def _pair(name: str, provider: str, pair: pairs.Pair, rules: Rules) -> Format:
    return Format(name=name, provider=provider, detects=pair.detects, reads=pair.read, row_of=pair.row_of, rules=rules)


_FORMATS: Final = (
    _chat("openai_chat", "OpenAI", openai_chat.row_of, openai_rules.CHAT),
    _preference("openai_dpo", "OpenAI", openai_rules.PREFERENCE),
    Format(
        name="openai_rft", provider="OpenAI", detects=openai_rft.detects, reads=openai_rft.read,
        row_of=openai_rft.row_of, rules=openai_rules.REINFORCEMENT,
    ),
    _chat("azure_chat", "Azure", openai_chat.row_of, openai_rules.CHAT, head=BOM),
    _chat("together_chat", "Together", chat_dialects.together_row, open_model_rules.TOGETHER),
    _preference("together_dpo", "Together", open_model_rules.TOGETHER),
    _chat("fireworks_chat", "Fireworks", chat_dialects.fireworks_row, open_model_rules.FIREWORKS),
    _preference("fireworks_dpo", "Fireworks", open_model_rules.FIREWORKS),
    _chat("mistral", "Mistral", chat_dialects.mistral_row, open_model_rules.MISTRAL),
    Format(
        name="gemini", provider="Vertex AI", detects=gemini.detects, reads=gemini.read, row_of=gemini.row_of,
        rules=cloud_rules.GEMINI,
    ),
    _pair("vertex_text", "Vertex AI", _VERTEX_TEXT, Rules()),
    Format(
        name="bedrock_converse", provider="Bedrock", detects=bedrock.detects_converse, reads=bedrock.read_converse,
        row_of=bedrock.converse_row, rules=cloud_rules.NOVA,
    ),
    _pair("bedrock_prompt", "Bedrock", _PROMPT, cloud_rules.BEDROCK_PROMPT),
    Format(
        name="anthropic_bedrock", provider="Bedrock", detects=bedrock.detects_anthropic, reads=bedrock.read_anthropic,
        row_of=bedrock.anthropic_row, rules=cloud_rules.ANTHROPIC,
    ),
    Format(
        name="trl_messages", provider="TRL", detects=trl.detects_messages, reads=trl.read_messages,
        row_of=trl.messages_row, rules=trainer_rules.TRL,
    ),
    Format(
        name="trl_prompt_completion", provider="TRL", detects=trl.detects_completion, reads=trl.read_completion,
        row_of=trl.completion_row, rules=trainer_rules.TRL,
    ),
    Format(
        name="trl_preference", provider="TRL", detects=trl.detects_preference, reads=trl.read_preference,
        row_of=trl.preference_row, rules=trainer_rules.TRL,
    ),
    Format(
        name="kto", provider="TRL", detects=trl.detects_unpaired, reads=trl.read_completion, row_of=trl.unpaired_row,
        rules=trainer_rules.TRL,
    ),
    Format(
        name="alpaca", provider="LLaMA-Factory", extension="json", detects=llama_factory.detects_alpaca,
        reads=llama_factory.read_alpaca, row_of=llama_factory.alpaca_row, head=b"[\n", between=b",\n", tail=b"\n]\n",
    ),
    Format(
        name="sharegpt", provider="LLaMA-Factory", extension="json", detects=llama_factory.detects_sharegpt,
        reads=llama_factory.read_sharegpt, row_of=llama_factory.sharegpt_row, rules=trainer_rules.SHAREGPT,
        head=b"[\n", between=b",\n", tail=b"\n]\n",
    ),
    Format(
        name="csv", provider="spreadsheets", extension="csv", detects=pairs.detects_table, reads=pairs.read_table,
        row_of=pairs.table_row, encode=pairs.csv_line, rules=trainer_rules.SPREADSHEET, head=pairs.CSV_HEAD,
        between=b"\r\n", tail=b"\r\n",
    ),
)  # fmt: skip

FORMATS: Final[Mapping[str, Format]] = {each.name: each for each in _FORMATS}
"""Every format by its name."""

# What people call a provider, where one of its formats is the usual one.
_USUAL: Final = {
    "openai": "openai_chat", "azure": "azure_chat", "together": "together_chat", "fireworks": "fireworks_chat",
    "vertex": "gemini", "bedrock": "bedrock_converse", "nova": "bedrock_converse", "anthropic": "anthropic_bedrock",
    "trl": "trl_messages", "dpo": "openai_dpo", "rft": "openai_rft", "llama_factory": "sharegpt",
}  # fmt: skip


def format_named(name: str) -> Format:
    """The format of this name, or the usual one of a provider. Raises `UnknownName`."""
    written = name.strip().lower().replace("-", "_")
    found = FORMATS.get(written) or FORMATS.get(_USUAL.get(written, ""))
    if found is None:
        raise UnknownName("format", name, known=FORMATS, add=f"use one of {', '.join(FORMATS)}")
    return found

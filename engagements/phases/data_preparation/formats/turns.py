"""A conversation taken apart the way formats want it: the system's words, the turns, the last answer."""

from collections.abc import Sequence
from dataclasses import dataclass

from engagements.phases.data_preparation.records import Message, text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """`system` is None where no system message speaks; several are joined by a blank line, wherever they stood."""

    system: str | None
    turns: list[Message]


def conversation(messages: Sequence[Message]) -> Conversation:
    systems = [message for message in messages if message.get("role") == "system"]
    if not systems:
        return Conversation(system=None, turns=list(messages))
    turns = [message for message in messages if message.get("role") != "system"]
    return Conversation(system="\n\n".join(map(text_of, systems)), turns=turns)


def roles(messages: Sequence[Message]) -> list[str]:
    return [str(message.get("role")) for message in messages]


def all_texts(messages: Sequence[Message]) -> bool:
    """Whether every message is a plain text and no call, no result, no picture."""
    return all(
        isinstance(message.get("content"), str) and not message.get("tool_calls") and message.get("role") != "tool"
        for message in messages
    )


def pictures(message: Message) -> list[str]:
    """The addresses of the images in a message of OpenAI's form."""
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    found = (part.get("image_url") for part in parts if isinstance(part, dict) and part.get("type") == "image_url")
    return [str(image.get("url", "")) for image in found if isinstance(image, dict)]

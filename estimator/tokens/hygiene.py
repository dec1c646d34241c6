"""Text that harms whoever trains on it, stores it or shows it: markers, invisible characters, markup, formulas.

Each check says in a few words what it found, or nothing.
"""

import re
from typing import Final

# About 5,000 tokens: as long as a dozen e-mails.
_LONG_INPUT_CHARS: Final = 20_000

_INVISIBLE: Final = re.compile("[\u00ad\u180e\u200b\u2060-\u2064\ufeff\U000e0001\U000e0020-\U000e007f]")
_UNSEEN: Final = re.compile("[\u00ad\u180e\u200b-\u200d\u2060-\u2064\ufeff\U000e0001\U000e0020-\U000e007f]")
_JOINER_IN_WORD: Final = re.compile("[A-Za-z0-9][\u200c\u200d]|[\u200c\u200d][A-Za-z0-9]")
_FLAG: Final = re.compile("\U0001f3f4[\U000e0020-\U000e007f]+")
_BIDI: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
# Control tokens of OpenAI (cl100k_base, o200k_base, ChatML, harmony), Llama 3 and Phi.
_SPECIAL: Final = re.compile(
    r"<\|(?:endoftext|endofprompt|startoftext|fim_(?:prefix|middle|suffix)|im_(?:start|end|sep)|start|end|message|channel"
    r"|constrain|return|call|begin_of_text|end_of_text|(?:start|end)_header_id|eot_id|eom_id|system|user|assistant)\|>"
)

_CODE: Final = re.compile(r"```.*?(?:```|\Z)|`[^`\n]{1,200}`", re.DOTALL)
_MARKUP: Final = re.compile(
    r"<\s?/?(?:script|iframe|object|embed|applet|meta|base|form)\b|\bjavascript:|\bdata:text/html\b"
    r"|<[a-z][^<>]{0,200}[\s/]on[a-z]{3,20}\s{0,3}=",
    re.IGNORECASE,
)
_FORMULA: Final = re.compile(
    r"\s{0,3}(?:[=\uff1d]\s?(?:[A-Za-z][A-Za-z0-9.]{1,30}\s?[(|!]|[+\-@\"']|[A-Z]{1,3}[0-9]{1,5}\b|[0-9]+[+*/-])"
    r"|[+\-@\uff0b\uff0d\uff20]\s?[A-Z]{2,30}\("
    r"|[=+\-@]\s?[^\n]{0,40}\|\s?'[^\n]{1,80}'!)"
)


def special_token(text: str) -> str | None:
    """Text that spells a control token of the model ("<|endoftext|>", "<|im_start|>")."""
    if "<" in text and (found := _SPECIAL.search(text)):
        return f"the text spells the special token {found.group()}"
    return None


def zero_width(text: str) -> str | None:
    """Invisible characters. A joiner inside an emoji or a script that needs it is none; nor are the tags of a flag."""
    if not _UNSEEN.search(text):
        return None
    found = _INVISIBLE.search(_FLAG.sub("", text)) or _JOINER_IN_WORD.search(text)
    return f"invisible character {_codepoint(found.group())} in the text" if found else None


def bidi_control(text: str) -> str | None:
    """Characters that override the reading direction, so that what is shown differs from what is trained."""
    found = _BIDI.search(text)
    return f"direction control {_codepoint(found.group())} in the text" if found else None


def markup(text: str) -> str | None:
    """Active HTML outside of a code block."""
    if "<" not in text:
        return None
    return f"active markup {found.group()!r}" if (found := _MARKUP.search(_CODE.sub("", text))) else None


def formula_cell(text: str) -> str | None:
    """A text that a spreadsheet would run as a formula."""
    return "the text begins like a spreadsheet formula" if _FORMULA.match(text) else None


def long_input(text: str) -> str | None:
    """A message so long that it was probably pasted whole."""
    return f"{len(text):,} characters in one message" if len(text) > _LONG_INPUT_CHARS else None


def _codepoint(text: str) -> str:
    return next(f"U+{ord(character):04X}" for character in text if not character.isascii())

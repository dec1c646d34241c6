"""What the checks of OpenAI's notebook find in one row after the other, and the texts that are to be counted.

Rows that a script has written look alike: the same keys in the same order, the same roles, and texts without an escape.
The line of such a row is cut at its quotes, and if all but its texts was seen before, it need not be parsed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from engagements.phases.data_preparation.formats.word_counts import WordCounts

_KEYS: Final = frozenset({"role", "content", "name", "function_call", "weight"})
_NEEDED: Final = frozenset({"role", "content"})
# Each of them is one token of cl100k_base.
_ROLES: Final = frozenset({"system", "user", "assistant", "function"})
_PER_ROLE: Final = 1
_PER_MESSAGE, _PER_EXAMPLE, _PER_NAME = 3, 3, 1
_KEPT_FORMS: Final = 1_000
_KEPT_PROMPTS: Final = 512
# Cut at its quotes, the first content of such a line is the tenth piece, and each further one stands eight later.
_FIRST_CONTENT, _TO_THE_NEXT = 9, 8


@dataclass(slots=True)
class Batch:
    """Examples to be counted: the tokens that are known without counting, how many messages each has, where its texts
    end among all texts (UTF-8), and for each text whether it is an answer."""

    fixed: list[int] = field(default_factory=list)
    messages: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)
    answers: bytearray = field(default_factory=bytearray)
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Form:
    """What follows from an example's messages but their texts. `answers` marks the assistant's with 1."""

    messages: int
    answers: bytes
    fixed: int
    begins_with_system: bool
    without_system: bool
    without_user: bool


class Tally:
    """The counters of the notebook; rows are numbered from 1."""

    def __init__(self) -> None:
        self.rows = 0
        self.errors: Counter[str] = Counter()
        self.missing_system = self.missing_user = 0
        self.stops_at: list[int] = []
        self.batch = Batch()
        self._forms: dict[bytes, _Form] = {}
        self._prompts: dict[bytes, int] = {}
        self._words = WordCounts()

    def take_batch(self) -> Batch:
        """The texts since the last batch, which is this object's no more."""
        batch, self.batch = self.batch, Batch()
        return batch

    def add_line(self, line: bytes) -> None:
        """One line of a file, of UTF-8 without control characters. What is no JSON counts as `data_type`."""
        if b"\\" in line:
            self.add(_parsed(line))
            return
        pieces = line.split(b'"')
        contents = pieces[_FIRST_CONTENT::_TO_THE_NEXT]
        del pieces[_FIRST_CONTENT::_TO_THE_NEXT]
        frame = b'"'.join(pieces)
        form = self._forms.get(frame)
        if form is not None and all(contents):
            self._add_known(form, contents, len(line))
            return
        row = _parsed(line)
        self.add(row)
        if form is None and len(self._forms) < _KEPT_FORMS and (found := _form_of(row, contents)):
            self._forms[frame] = found

    def add_doubtful_line(self, line: bytes) -> None:
        """One line of a file, whatever its bytes."""
        self.add(_parsed(line))

    def _add_known(self, form: _Form, contents: list[bytes], size_bytes: int) -> None:
        batch, fixed, answers = self.batch, form.fixed, form.answers
        if form.begins_with_system and (prompt := self._prompt_tokens(contents[0])) is not None:
            # What is counted already is left out, with its mark.
            fixed, contents, answers = fixed + prompt, contents[1:], answers[1:]
        batch.size_bytes += size_bytes
        batch.texts += contents
        batch.answers += answers
        batch.fixed.append(fixed)
        batch.messages.append(form.messages)
        batch.ends.append(len(batch.texts))
        self.rows += 1
        self.missing_system += form.without_system
        self.missing_user += form.without_user

    def _prompt_tokens(self, prompt: bytes) -> int | None:
        """Tokens of a system prompt, counted once; None where too many of them differ."""
        if (known := self._prompts.get(prompt)) is None and len(self._prompts) < _KEPT_PROMPTS:
            known = self._prompts[prompt] = int(self._words.counts([prompt])[0])
        return known

    def add(self, row: object) -> None:
        """One row as parsed."""
        self.rows += 1
        if not isinstance(row, dict):
            self.errors["data_type"] += 1
            return
        messages = row.get("messages")
        if not messages:
            self.errors["missing_messages_list"] += 1
        elif isinstance(messages, list):
            self._add_messages(messages)
        else:
            self.stops_at.append(self.rows)

    def _add_messages(self, messages: list[Any]) -> None:
        roles = [message.get("role") for message in messages if isinstance(message, dict)]
        self.errors["example_missing_assistant_message"] += "assistant" not in roles
        self.missing_system += "system" not in roles
        self.missing_user += "user" not in roles
        batch = self.batch
        batch.fixed.append(_PER_EXAMPLE + sum(map(self._add_message, messages)))
        batch.messages.append(len(messages))
        batch.ends.append(len(batch.texts))

    def _add_message(self, message: object) -> int:
        """Everything the notebook finds in one message; its tokens that need no counting."""
        if not isinstance(message, dict):
            self._stop()
            return 0
        role, content = message.get("role"), message.get("content")
        self.errors["message_missing_key"] += not message.keys() >= _NEEDED
        self.errors["message_unrecognized_key"] += not message.keys() <= _KEYS
        self.errors["unrecognized_role"] += not (isinstance(role, str) and role in _ROLES)
        nothing = not content and not message.get("function_call")
        self.errors["missing_content"] += nothing or not isinstance(content, str)
        if not all(isinstance(value, str) for value in message.values()) or not message.keys() >= _NEEDED:
            self._stop()
        self._add_texts(message, is_answer=role == "assistant")
        return _PER_MESSAGE + (_PER_NAME if "name" in message else 0)

    def _add_texts(self, message: Mapping[str, object], *, is_answer: bool) -> None:
        for key, value in message.items():
            if isinstance(value, str):
                text = value.encode(errors="surrogatepass")
                self.batch.size_bytes += len(text)
                self.batch.texts.append(text)
                self.batch.answers.append(is_answer and key == "content")

    def _stop(self) -> None:
        if self.stops_at[-1:] != [self.rows]:
            self.stops_at.append(self.rows)


def _parsed(line: bytes) -> object:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return None


def _form_of(row: object, contents: Sequence[bytes]) -> _Form | None:
    """The form of a row in which the notebook finds nothing, and whose contents are these; None for any other."""
    match row:
        case {"messages": [*messages]} if all(map(_is_plain, messages)):
            roles = [message["role"] for message in messages]
        case _:
            return None
    if [message["content"].encode() for message in messages] != contents or "assistant" not in roles:
        return None
    return _Form(
        messages=len(roles),
        answers=bytes(role == "assistant" for role in roles),
        fixed=_PER_EXAMPLE + (_PER_MESSAGE + _PER_ROLE) * len(roles),
        begins_with_system=roles[0] == "system",
        without_system="system" not in roles,
        without_user="user" not in roles,
    )


def _is_plain(message: object) -> bool:
    match message:
        case {"role": str(role), "content": str(), **others}:
            return role in _ROLES and not others
        case _:
            return False

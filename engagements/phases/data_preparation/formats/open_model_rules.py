"""What Together, Fireworks and Mistral say of a training file.

Sources: together-python 1.5 (`together/utils/files.py`), whose check runs before an upload; Together's report after an
upload; the guides on data of Together and Fireworks; mistral-common (`protocol/instruct/validator.py`), which checks
conversations in Mistral's own tuning code.
"""

import re
from collections.abc import Iterator
from itertools import chain, pairwise
from typing import Final

from engagements.phases.data_preparation.formats.calls import declared_functions
from engagements.phases.data_preparation.formats.openai_rules import all_messages, as_chat_line
from engagements.phases.data_preparation.formats.prediction import (
    Hit,
    Line,
    Rules,
    Saying,
    at_least,
    at_most,
    no_larger_than,
)
from engagements.phases.data_preparation.formats.turns import pictures, roles
from estimator.errors import Severity
from estimator.tokens.structure import structure_problems

_CLIENT: Final = "together-python 1.5, files.py"
_GIB: Final = 1024**3
_TOGETHER_ROLES: Final = ["system", "user", "assistant", "tool"]
_FUNCTION: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}", re.ASCII)
_MAX_IMAGES: Final = 10
_MAX_IMAGE_BYTES: Final = 10 * 1024**2

_EMPTY: Final = Saying(
    code="empty_file", exact=True, source=_CLIENT, words="File is empty", remedy="add examples"
)  # fmt: skip
_TOO_BIG: Final = Saying(
    code="file_too_large", source=f"{_CLIENT}; the limit of 50 GB is the guide's",
    words="Maximum supported file size is 50 GB. Found file with size of {gigabytes} GB.", remedy="train on less",
)  # fmt: skip
_NO_ROLE: Final = Saying(
    code="INVALID_FORMAT", exact=True, source="Together's validation report",
    words="Line {line}: `messages[{message}]` must contain a `role` field", remedy="give the message a role",
)  # fmt: skip
_NO_CONTENT: Final = Saying(
    code="INVALID_FORMAT", source="Together's validation report, as for the role",
    words="Line {line}: `messages[{message}]` must contain a `content` field", remedy="give the message a text",
)  # fmt: skip
_BAD_ROLE: Final = Saying(
    code="INVALID_FORMAT", exact=True, source=_CLIENT,
    words="Found invalid role `{role}` in the messages on the line {line}. Possible roles in the conversation are: "
    f"{_TOGETHER_ROLES}",
    remedy="use one of these roles",
)  # fmt: skip
_SAME_ROLE: Final = Saying(
    code="INVALID_FORMAT", exact=True, source=_CLIENT,
    words="Invalid role turns on line {line} of the input file. `user` and `assistant` roles must alternate "
    "user/assistant/user/assistant/...",
    remedy="join messages that follow each other, or add the answer that is missing",
)  # fmt: skip
_WEIGHT_TYPE: Final = Saying(
    code="INVALID_FORMAT", exact=True, source=_CLIENT, words="Weight must be an integer",
    remedy="use weight 0 or 1 on messages; the row's own weight may be any number from 0",
)  # fmt: skip
_WEIGHT: Final = Saying(
    code="INVALID_FORMAT", exact=True, source=_CLIENT, words="Weight must be either 0 or 1",
    remedy="use weight 0 or 1 on messages; the row's own weight may be any number from 0",
)  # fmt: skip
_ROW_WEIGHT: Final = Saying(
    code="INVALID_FORMAT", source="Together's guide: a weight of a row is 0 or more",
    words="Line {line}: `weight` must be at least 0", remedy="drop the row instead of weighing it below 0",
)  # fmt: skip
_IMAGE: Final = Saying(
    code="INVALID_FORMAT", source="Together's guide on vision: base64, 10 images of 10 MB",
    words="Line {line}: {what}", remedy="write at most 10 images of 10 MB into the row, as data:...;base64",
)  # fmt: skip
_FIREWORKS_FEW: Final = Saying(
    code="too_few_examples", source="Fireworks' guide: minimum examples 3", remedy="add examples",
    words="The dataset has {examples} examples, and at least 3 are needed",
)  # fmt: skip
_FIREWORKS_MANY: Final = Saying(
    code="too_many_examples", source="Fireworks' guide: maximum examples 3 million", remedy="leave some out",
    words="The dataset has {examples} examples, and at most 3000000 are allowed",
)  # fmt: skip
_FIREWORKS_ORDER: Final = Saying(
    code="invalid_messages", source="Fireworks' guide: a system message, if any, is the first",
    words="Line {line}: a system message must be the first of the conversation",
    remedy="move the system message to the front",
)  # fmt: skip
_STRUCTURE: Final = Saying(
    code="invalid_messages", source="the providers' guides: OpenAI's chat format",
    words="Line {line}: {what}", remedy="mend the message; the rule is OpenAI's, which the provider follows",
)  # fmt: skip
_MISTRAL_EMPTY: Final = Saying(
    code="422", exact=True, source="Mistral's API",
    words="At least one training file or repository is required.", remedy="add examples",
)  # fmt: skip
_MISTRAL_LAST: Final = Saying(
    code="invalid_conversation", exact=True, source="mistral-common, validator.py",
    words="Expected last role Assistant for finetuning but got {role}", remedy="end the conversation with an answer",
)  # fmt: skip
_MISTRAL_FUNCTION: Final = Saying(
    code="invalid_conversation", exact=True, source="mistral-common, validator.py",
    words="Function name was {name} but must be a-z, A-Z, 0-9, or contain underscores and dashes, with a maximum "
    "length of 64.",
    remedy="rename the function",
)  # fmt: skip


def _together_messages(line: Line) -> Iterator[Hit]:
    messages = all_messages(line.row)
    for index, message in enumerate(messages):
        role = message.get("role")
        if role is None:
            yield _NO_ROLE.at(f"messages[{index}]", message=index)
        elif role not in _TOGETHER_ROLES:
            yield _BAD_ROLE.at(f"messages[{index}]", role=role)
        if message.get("content") is None and not message.get("tool_calls"):
            yield _NO_CONTENT.at(f"messages[{index}]", message=index)
        if (weight := message.get("weight")) is not None and weight not in (0, 1):
            yield (_WEIGHT if isinstance(weight, int) else _WEIGHT_TYPE).at(f"messages[{index}]")
    if "messages" in line.row and any(one == other != "tool" for one, other in pairwise(roles(messages))):
        yield _SAME_ROLE.at()
    if line.row.get("weight", 0) < 0:
        yield _ROW_WEIGHT.at("weight")


def _together_images(line: Line) -> Iterator[Hit]:
    if b"image_url" not in line.content:
        return
    addresses = list(chain.from_iterable(map(pictures, all_messages(line.row))))
    if len(addresses) > _MAX_IMAGES:
        yield _IMAGE.at(what=f"{len(addresses)} images, and 10 are allowed")
    for address in addresses:
        if not address.startswith("data:"):
            yield _IMAGE.at(what="an image is given by its address")
        elif len(address) * 3 // 4 > _MAX_IMAGE_BYTES:
            yield _IMAGE.at(what="an image is larger than 10 MB")


def _structure(line: Line) -> Iterator[Hit]:
    """OpenAI's rules, in no particular words. What it says of weights does not hold here."""
    example = {key: value for key, value in as_chat_line(line.row).items() if key != "weight"}
    for problem in structure_problems(example):
        if problem.severity is Severity.ERROR and problem.code != "row.bad_weight":
            yield _STRUCTURE.at(problem.where, what=problem.message)


def _system_first(line: Line) -> Iterator[Hit]:
    if "messages" in line.row and "system" in roles(line.row["messages"])[1:]:
        yield _FIREWORKS_ORDER.at("messages")


def _mistral_conversation(line: Line) -> Iterator[Hit]:
    last = roles(line.row["messages"])[-1]
    if last != "assistant":
        yield _MISTRAL_LAST.at("messages", role=last)
    for function in declared_functions(line.row.get("tools") or ()):
        name = str(function.get("name"))
        if not _FUNCTION.fullmatch(name):
            yield _MISTRAL_FUNCTION.at("tools", name=name)


_TOGETHER_FILE: Final = (at_least(1, _EMPTY), no_larger_than(50 * _GIB, _TOO_BIG))
TOGETHER: Final = Rules(rows=(_together_messages, _together_images), file=_TOGETHER_FILE)
FIREWORKS: Final = Rules(
    rows=(_structure, _system_first), file=(at_least(3, _FIREWORKS_FEW), at_most(3_000_000, _FIREWORKS_MANY))
)
MISTRAL: Final = Rules(rows=(_structure, _mistral_conversation), file=(at_least(1, _MISTRAL_EMPTY),))

"""What OpenAI and Azure say of a training file.

Sources, named in short below: "spec" is OpenAI's API description of March 2025; "guide" its guides on supervised and
preference fine-tuning and on vision; "job" the error of a job that failed, as published by who ran it; "specification
by Azure" its page on customising a model with fine-tuning. Where an OpenAI error numbers messages it does not say
whether from 0 or 1; examples are numbered from 1 ("Example 1273 cannot be parsed ... (line 1273)").
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, Final

from engagements.phases.data_preparation.formats.prediction import (
    Effect,
    Facts,
    FileRule,
    Hit,
    Line,
    Method,
    Row,
    Rules,
    Saying,
    at_least,
    no_larger_than,
)
from engagements.phases.data_preparation.formats.turns import pictures
from estimator import tokens
from estimator.errors import Severity, UnknownName
from estimator.tokens.hygiene import special_token
from estimator.tokens.structure import structure_problems
from estimator.tokens.training import content_texts

_FORMAT: Final = "invalid_training_file"
# OpenAI trains on such a line, whatever we think of it.
_TAKEN: Final = frozenset({"row.last_not_assistant"})
_MESSAGE: Final = re.compile(r"messages\[(\d+)\]")
_MAX_IMAGES_A_ROW: Final = 10
_MAX_IMAGE_ROWS: Final = 50_000
_MAX_IMAGE_BYTES: Final = 10 * 1024**2
# Stands for all models that OpenAI still tunes; they share encoding and training context.
_CURRENT_MODEL: Final = "gpt-4.1"
# Of gpt-3.5-turbo-0613, in estimator.tokens.models.
_SHORTEST_LIMIT: Final = 4_096

TOO_FEW: Final = Saying(
    code="invalid_n_examples", exact=True, source="job; guide: at least 10 examples",
    words="Training file has {examples} example(s), but must have at least 10 examples",
    remedy="add examples: gains are usual from 50 to 100",
)  # fmt: skip
_NO_ROLE: Final = Saying(
    code=_FORMAT, exact=True, source="job",
    words="The job failed due to an invalid training file. Invalid file format. Example {line}, message {message} "
    "Discriminator 'role' is missing in value",
    remedy="give the message a role: system, user, assistant or tool",
)  # fmt: skip
_UNEXPECTED: Final = Saying(
    code=_FORMAT, exact=True, source="job",
    words="The job failed due to an invalid training file. Unexpected file format, expected either "
    "prompt/completion pairs or chat messages.",
    remedy="end the conversation with an answer of the assistant",
)  # fmt: skip
_STRUCTURE: Final = Saying(
    code=_FORMAT, source="spec",
    words="The job failed due to an invalid training file. Invalid file format. Example {line}{place} {what}",
    remedy="mend the message; the rule is OpenAI's description of the training line",
)  # fmt: skip
_SPECIAL: Final = Saying(
    code=_FORMAT, source="reference of rule 15: text that spells a special token is rejected",
    words="The job failed due to an invalid training file. Invalid file format. Example {line}: {what}",
    remedy="remove or rewrite the marker",
)  # fmt: skip
_METHOD: Final = Saying(
    code=_FORMAT, exact=True, source="job",
    words="Input file is in the {shape} format, but the specified fine-tuning job is not using '{wanted}' "
    "(provided method={method})",
    remedy="export the format of the method, or plan the other method",
)  # fmt: skip
_CUT: Final = Saying(
    code="example_truncated", effect=Effect.CUT, source="guide: longer examples are cut to the training context",
    words="(nothing is said) {tokens:,} tokens, of which {limit:,} are trained: the end, which is the answer, is lost",
    remedy="shorten the example, or split the conversation",
)  # fmt: skip
_TOO_MANY_IMAGES: Final = Saying(
    code=_FORMAT, source="guide on vision: 10 images an example",
    words="Invalid file format. Example {line} has {images} images, and 10 are allowed",
    remedy="keep the images that the answer needs",
)  # fmt: skip
_BIG_IMAGE: Final = Saying(
    code="image_skipped", effect=Effect.DROPPED, source="guide on vision: 10 MB an image, JPEG, PNG or WEBP",
    words="(told in the events of the job only) an image is skipped: {what}",
    remedy="save it smaller, as JPEG, PNG or WEBP",
)  # fmt: skip
_MANY_IMAGE_ROWS: Final = Saying(
    code=_FORMAT, source="guide on vision: 50,000 examples with images",
    words="The file has {examples} examples with images, and 50000 are allowed", remedy="leave some of them out",
)  # fmt: skip
_TOO_BIG: Final = Saying(
    code="file_too_large", source="API reference of files: 512 MB a file, 8 GB through the Uploads API",
    words="File is too large: {gigabytes} GB, and 512 MB are allowed",
    remedy="upload it in parts through the Uploads API (to 8 GB), or train on less",
)  # fmt: skip


def structure(line: Line) -> Iterator[Hit]:
    """What OpenAI's description of its two lines, chat and preference, refuses."""
    example = as_chat_line(line.row)
    for problem in structure_problems(example):
        if problem.severity is not Severity.ERROR or problem.code in _TAKEN:
            continue
        found = _MESSAGE.match(problem.where)
        index = found[1] if found else ""
        if problem.code == "row.no_assistant_target":
            yield _UNEXPECTED.at(problem.where)
        elif found and "role" not in example["messages"][int(index)]:
            yield _NO_ROLE.at(problem.where, message=index)
        else:
            yield _STRUCTURE.at(problem.where, place=f", message {index}" if index else "", what=problem.message)


def as_chat_line(row: Row) -> Row:
    """A chat line as it is; of a preference pair, the question with its better answer; of a row of reinforcement, the
    question with the answer it is held against."""
    if "reference_answer" in row:
        asked = [
            {**message, "role": "system"} if message.get("role") == "developer" else message
            for message in row["messages"]
        ]
        answer = {"role": "assistant", "content": row["reference_answer"]}
        return {"messages": [*asked, answer]} | {name: row[name] for name in ("tools",) if name in row}
    if "messages" in row:
        return row
    return {**row["input"], "messages": [*row["input"]["messages"], *row["preferred_output"]]}


def special_tokens(line: Line) -> Iterator[Hit]:
    if b"<|" not in line.content:
        return
    for index, message in enumerate(all_messages(line.row)):
        for what in filter(None, map(special_token, content_texts(message))):
            yield _SPECIAL.at(f"messages[{index}]", what=what)


def all_messages(row: Row) -> list[Mapping[str, Any]]:
    """The messages of a chat line, or of all three parts of a preference pair."""
    if "messages" in row:
        return list(row["messages"])
    return [*row["input"]["messages"], *row["preferred_output"], *row["non_preferred_output"]]


def over_length(line: Line) -> Iterator[Hit]:
    """Rows beyond the training context of the model. A token is a byte at least, so a short row needs no counting."""
    if len(line.content) <= _SHORTEST_LIMIT:
        return
    model = line.facts.model or _CURRENT_MODEL
    try:
        limit = tokens.model_tokens(model).training_limit
    except UnknownName:
        return
    if limit is None or len(line.content) <= limit:
        return
    sides = [{"messages": all_messages(line.row)}] if "messages" in line.row else _sides(line.row)
    encoding = tokens.encoding_for(model)
    longest = max(tokens.billed_training_tokens({**line.row, **side}, encoding) for side in sides)
    if longest > limit:
        yield _CUT.at(tokens=longest, limit=limit)


def _sides(row: Row) -> Sequence[Mapping[str, Any]]:
    asked = row["input"]["messages"]
    return [{"messages": [*asked, *row[side]]} for side in ("preferred_output", "non_preferred_output")]


def images(line: Line) -> Iterator[Hit]:
    if b"image_url" not in line.content:
        return
    addresses = list(chain.from_iterable(map(pictures, all_messages(line.row))))
    if not addresses:
        return
    line.facts.seen.setdefault("image rows", set()).add(line.facts.examples)
    if len(addresses) > _MAX_IMAGES_A_ROW:
        yield _TOO_MANY_IMAGES.at(images=len(addresses))
    for address in addresses:
        # Three bytes become four characters of base64.
        if address.startswith("data:") and len(address) * 3 // 4 > _MAX_IMAGE_BYTES:
            yield _BIG_IMAGE.at(what="it is larger than 10 MB")
        elif address.startswith("data:") and not address.startswith(_IMAGE_TYPES):
            yield _BIG_IMAGE.at(what=f"{address[5:25].partition(';')[0]!r} is not trained on")


_IMAGE_TYPES: Final = ("data:image/jpeg", "data:image/png", "data:image/webp")


def _image_rows(facts: Facts) -> Iterator[Hit]:
    rows = len(facts.seen.get("image rows", ()))
    if rows > _MAX_IMAGE_ROWS:
        yield _MANY_IMAGE_ROWS.at(examples=rows)


def _only(shape: str, wanted: Method, saying: Saying = _METHOD) -> FileRule:
    """What is in one format is trained on by one method."""

    def rule(facts: Facts) -> Iterator[Hit]:
        if facts.method not in (None, wanted):
            yield saying.at(shape=shape, wanted=wanted.value, method=facts.method)

    return rule


_FILE: Final = (at_least(10, TOO_FEW), no_larger_than(512 * 1024**2, _TOO_BIG))
CHAT: Final = Rules(
    rows=(structure, special_tokens, over_length, images),
    file=(*_FILE, _image_rows, _only("fine-tune-chat", Method.SUPERVISED)),
)
PREFERENCE: Final = Rules(
    rows=(structure, special_tokens, over_length), file=(*_FILE, _only("fine-tune-preference", Method.DPO))
)
REINFORCEMENT: Final = Rules(
    rows=(structure, special_tokens, over_length, images),
    file=(*_FILE, _image_rows, _only("fine-tune-reinforcement", Method.REINFORCEMENT, replace(_METHOD, exact=False))),
)

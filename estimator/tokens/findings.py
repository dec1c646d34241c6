"""Every code the check of a data set can give, with its severity and what to do about it.

`row.*` speaks of one line, the others of the file. `ERROR` means that the provider refuses the file or that the row
cannot teach; `WARNING` that a person should look.
"""

from dataclasses import dataclass
from typing import Final

from estimator.errors import Problem, Severity


@dataclass(frozen=True, slots=True)
class _Rule:
    severity: Severity
    remedy: str


def _error(remedy: str) -> _Rule:
    return _Rule(Severity.ERROR, remedy)


def _warning(remedy: str) -> _Rule:
    return _Rule(Severity.WARNING, remedy)


RULES: Final[dict[str, _Rule]] = {
    # The file as a whole
    "unsupported_media_type": _error("unpack or export it to plain JSON Lines, one example per line"),
    "not_utf8": _error("save the file as UTF-8"),
    "not_jsonl": _error("write every example on a line of its own, without an enclosing array or commas between them"),
    "not_chat_format": _error('convert every row to {"messages": [...]} with user and assistant messages'),
    "converted_format": _warning("counted as chat after conversion; write it out as chat JSON Lines before upload"),
    "dataset_empty": _error("add examples: OpenAI trains on 10 or more"),
    "too_few_examples": _error("add examples: OpenAI refuses fewer than 10, gains are usual from 50 to 100"),
    "blank_lines": _warning("remove them: some providers refuse blank lines"),
    "duplicates_not_compared": _warning("deduplicate the file in parts, or trust the first lines as a sample"),
    "template_unknown": _warning("name the chat template of the model, or add some tokens for every message"),
    # Lines that cannot be read
    "row.invalid_json": _error("write the line as one JSON object"),
    "row.malformed_utf8": _error("save the file as UTF-8; bytes like these come from Windows-1252 or Latin-1"),
    "row.bad_unicode": _error("repair the text: half of a surrogate pair stands alone, often a cut emoji"),
    "row.bom": _error("remove the byte order mark: it may stand at the very start of a file only"),
    "row.bom_stripped": _warning("ignored here; write the file without a byte order mark"),
    "row.too_large": _error("shorten or remove the line"),
    "row.too_deep": _error("flatten the row"),
    "row.duplicate_key": _warning("keep one of them: readers take the last and drop the others"),
    "row.nul_char": _warning("remove the NUL character: not every store can hold it"),
    # Shape
    "row.not_object": _error('write the row as {"messages": [...]}'),
    "row.mixed_format": _error("keep one format per file: convert this row to chat or move it"),
    "row.messages_missing": _error('give the row a non-empty list "messages"'),
    "row.bad_message": _error("write each message as an object with role and content"),
    "row.unknown_role": _error("use system, user, assistant or tool, in lower case"),
    "row.unknown_key": _warning("remove the key: OpenAI does not know it here"),
    "row.bad_content": _error("give the message a text, or a list of text parts"),
    "row.bad_name": _error("give the name as a text"),
    "row.bad_weight": _error("use weight 0 (do not train on it) or 1, on assistant messages only"),
    "row.bad_tools": _error(
        'write tools as a list of {"type": "function", "function": {"name": ..., "parameters": {...}}}'
    ),
    "row.bad_tool_call": _error("give each call an id and a function with a declared name and arguments as JSON text"),
    "row.orphan_tool_result": _error("give each tool message the tool_call_id of a call that stands before it"),
    # Conversation
    "row.no_assistant_target": _error("add an assistant message with weight 1: there is nothing to learn from"),
    "row.last_not_assistant": _error("end the conversation with the assistant's answer"),
    "row.no_user": _warning("add the user's message, unless the model shall speak unasked"),
    "row.consecutive_users": _warning("join them, or add the answer that is missing between them"),
    "row.two_systems": _warning("join the system messages into one"),
    "row.too_many_tokens": _error(
        "shorten it: what exceeds the training context is cut from the end, the answer first"
    ),
    "row.image_not_counted": _warning("add the tokens of images yourself: how training bills them is not published"),
    # Text
    "row.special_token": _error("remove or rewrite the marker: the provider refuses text that spells a special token"),
    "row.long_input": _warning("see whether all of it is needed: the model learns little from a text this long"),
    "row.truncated_answer": _warning("complete the answer, or drop the row: the model learns to stop half way"),
    "row.refusal": _warning("replace the answer unless refusing is what the model shall learn here"),
    "row.echo": _warning("write a real answer: this one repeats the question"),
    "row.prompt_injection": _warning("look at it: the text tries to give the model new instructions"),
    "row.sensitive": _warning("remove or mask it; a named person must accept it before anything is uploaded"),
    "row.mojibake": _warning("repair the text: it was read in the wrong encoding at some point"),
    "row.zero_width": _warning("remove the invisible characters"),
    "row.bidi_control": _warning("remove the characters that reverse the reading direction"),
    "row.markup": _warning("remove the active markup, or make sure that it is never shown unescaped"),
    "row.formula_cell": _warning("mind exports: a spreadsheet would run this text as a formula"),
    # Between rows
    "row.duplicate_of": _warning("keep one of them, unless the repetition is meant as a weight"),
    "row.near_duplicate_of": _warning("keep one of them: they differ in case, blanks or final punctuation only"),
    "row.label_conflict": _warning("decide which answer is right: the same question is answered differently"),
}


def finding(
    code: str, message: str, *, where: str = "", line: int | None = None, severity: Severity | None = None
) -> Problem:
    """A problem of one of the codes in `RULES`; `severity` where this case is graver or milder than the rule."""
    rule = RULES[code]
    return Problem(
        code=code, message=message, remedy=rule.remedy, where=where, line=line, severity=severity or rule.severity
    )

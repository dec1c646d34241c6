"""Is a row a chat example that can be trained on? Keys, roles, contents, weights, tools, and the order of turns.

Rules: OpenAI's description of the fine-tuning line (March 2025) and its guides. Where our HTTP answers are stricter
than the review of a file (a key nobody knows), this is the review: a warning.
"""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Final

from estimator.errors import Problem, Severity
from estimator.tokens.findings import finding
from estimator.tokens.function_block import functions_of
from estimator.tokens.json_row import read_row

_ROW_KEYS: Final = frozenset({"messages", "tools", "functions", "parallel_tool_calls"})
_MESSAGE_KEYS: Final = frozenset(
    {"role", "content", "name", "weight", "tool_calls", "function_call", "tool_call_id", "refusal"}
)
_ROLES: Final = frozenset({"system", "user", "assistant", "tool", "function"})
_PLAIN_KEYS: Final = {"role", "content"}
_PLAIN_ROLES: Final = frozenset({"system", "user", "assistant"})
_USUAL_TURNS: Final = (["system", "user", "assistant"], ["user", "assistant"])
_FUNCTION_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


def structure_problems(row: Mapping[str, object]) -> Iterator[Problem]:
    """Whatever keeps this row from being a sound chat example, in the order of the row."""
    if unknown := row.keys() - _ROW_KEYS:
        yield finding("row.unknown_key", f"keys nobody reads: {_named(unknown)}")
    messages = row.get("messages")
    if not isinstance(messages, list) or not messages:
        what = "is missing" if "messages" not in row else "is empty" if messages == [] else "is not a list"
        yield finding("row.messages_missing", f'"messages" {what}', where="messages")
        return
    if len(row) > 1:
        yield from _tools_problems(row)
    unusual = [(index, message) for index, message in enumerate(messages) if not _is_plain(message)]
    if not unusual and [message["role"] for message in messages] in _USUAL_TURNS:
        return
    for index, message in unusual:
        yield from _message_problems(message, f"messages[{index}]")
    objects = [message for message in messages if isinstance(message, dict)]
    yield from _conversation_problems(objects)
    if unusual:
        yield from _call_problems(objects, row)


def _is_plain(message: object) -> bool:
    """Nearly every message: a known role and a text. Nothing more needs to be looked at."""
    if not isinstance(message, dict) or message.keys() != _PLAIN_KEYS:
        return False
    role, content = message["role"], message["content"]
    if not isinstance(role, str) or not isinstance(content, str):
        return False
    return role in _PLAIN_ROLES and content != "" and not content.isspace()


def _message_problems(message: object, where: str) -> Iterator[Problem]:
    if not isinstance(message, dict):
        yield finding("row.bad_message", f"the message is {_kind(message)}, not an object", where=where)
        return
    if unknown := message.keys() - _MESSAGE_KEYS:
        yield finding("row.unknown_key", f"keys nobody reads: {_named(unknown)}", where=where)
    role = message.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        what = "no role" if "role" not in message else f"the role {str(role)[:40]!r}"
        yield finding("row.unknown_role", f"the message has {what}", where=f"{where}.role")
    yield from _content_problems(message, role, f"{where}.content")
    yield from _weight_problems(message, role, f"{where}.weight")
    name = message.get("name")
    if ("name" in message or role == "function") and not (isinstance(name, str) and name):
        yield finding("row.bad_name", "the name is not a text", where=f"{where}.name")


def _content_problems(message: Mapping[str, object], role: object, where: str) -> Iterator[Problem]:
    content = message.get("content")
    if content is None or content == []:
        calls = role == "assistant" and (message.get("tool_calls") or message.get("function_call"))
        if not calls and not message.get("refusal"):
            yield finding("row.bad_content", "the message has no content", where=where)
    elif isinstance(content, list):
        for index, part in enumerate(content):
            yield from _part_problems(part, role, f"{where}[{index}]")
    elif not isinstance(content, str):
        yield finding("row.bad_content", f"the content is {_kind(content)}, not a text", where=where)
    elif (
        not content.strip() and role in _PLAIN_ROLES and not (message.get("tool_calls") or message.get("function_call"))
    ):
        severity = Severity.WARNING if role == "system" else Severity.ERROR
        yield finding("row.bad_content", "the content is empty", where=where, severity=severity)


def _part_problems(part: object, role: object, where: str) -> Iterator[Problem]:
    match part:
        case {"type": "text", "text": str()}:
            return
        case {"type": "refusal", "refusal": str()} if role == "assistant":
            return
        case {"type": "image_url", "image_url": {"url": str()}} if role == "user":
            yield finding("row.image_not_counted", "an image: its training tokens are unknown", where=where)
        case {"type": "image_url"} if role != "user":
            yield finding("row.bad_content", "an image outside a user message", where=where)
        case _:
            yield finding("row.bad_content", "the part is no text, image or refusal", where=where)


def _weight_problems(message: Mapping[str, object], role: object, where: str) -> Iterator[Problem]:
    if "weight" not in message:
        return
    weight = message["weight"]
    if isinstance(weight, bool) or not isinstance(weight, int) or weight not in (0, 1):
        yield finding("row.bad_weight", f"the weight is {str(weight)[:20]}, not 0 or 1", where=where)
    elif role != "assistant":
        message_text = f"a weight on a {str(role)[:40]} message has no effect"
        yield finding("row.bad_weight", message_text, where=where, severity=Severity.WARNING)


def _conversation_problems(messages: Sequence[Mapping[str, object]]) -> Iterator[Problem]:
    roles = [message.get("role") for message in messages]
    if not _ROLES.issuperset(map(str, roles)):
        return
    if not any(message.get("role") == "assistant" and message.get("weight") != 0 for message in messages):
        what = "every assistant message has weight 0" if "assistant" in roles else "no assistant message"
        yield finding("row.no_assistant_target", what, where="messages")
    elif roles[-1] != "assistant":
        yield finding("row.last_not_assistant", f"the last message is from {roles[-1]}", where="messages")
    if "user" not in roles and "assistant" in roles:
        yield finding("row.no_user", "no user message", where="messages")
    if roles.count("system") > 1:
        yield finding("row.two_systems", f"{roles.count('system')} system messages", where="messages")
    if any(pair == ("user", "user") for pair in itertools.pairwise(roles)):
        yield finding("row.consecutive_users", "two user messages follow each other", where="messages")


def _tools_problems(row: Mapping[str, object]) -> Iterator[Problem]:
    for key in ("tools", "functions"):
        declared = row.get(key)
        if key in row and not isinstance(declared, list):
            yield finding("row.bad_tools", f'"{key}" is {_kind(declared)}, not a list', where=key)
    for index, function in enumerate(functions_of(row)):
        if problem := _function_problem(function):
            yield finding("row.bad_tools", problem, where=f"tools[{index}]")
    if not isinstance(row.get("parallel_tool_calls", True), bool):
        yield finding("row.bad_tools", '"parallel_tool_calls" is not true or false', where="parallel_tool_calls")


def _function_problem(function: object) -> str:
    if not isinstance(function, dict):
        return "the tool holds no function"
    name, parameters = function.get("name"), function.get("parameters")
    if not isinstance(name, str) or not _FUNCTION_NAME.fullmatch(name):
        return f"{str(name)[:40]!r} is no function name: 1 to 64 letters, digits, _ and -"
    return "" if parameters is None or isinstance(parameters, dict) else "the parameters are no JSON Schema object"


def _call_problems(messages: Sequence[Mapping[str, object]], row: Mapping[str, object]) -> Iterator[Problem]:
    """Calls and their results, against the functions that the row declares."""
    functions = functions_of(row)
    declared = {str(function.get("name")) for function in functions if isinstance(function, dict)}
    ids: set[str] = set()
    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        for problem, severity in _bad_calls(message, declared, ids):
            yield finding("row.bad_tool_call", problem, where=where, severity=severity)
        if message.get("role") == "tool" and str(message.get("tool_call_id")) not in ids:
            what = "answers a call that was not made" if message.get("tool_call_id") else "has no tool_call_id"
            yield finding("row.orphan_tool_result", f"the tool message {what}", where=where)


def _bad_calls(message: Mapping[str, object], declared: set[str], ids: set[str]) -> Iterator[tuple[str, Severity]]:
    calls = message.get("tool_calls")
    if calls is not None and not (isinstance(calls, list) and calls):
        yield "tool_calls is no list of calls", Severity.ERROR
    for call in calls if isinstance(calls, list) else []:
        match call:
            case {"id": str(identity), "type": "function", "function": {} as function}:
                ids.add(identity)
                yield from _bad_function_call(function, declared)
            case _:
                yield "the call has no id, no type or no function", Severity.ERROR
    if message.get("function_call") is not None:
        yield from _bad_function_call(message["function_call"], declared)


def _bad_function_call(function: object, declared: set[str]) -> Iterator[tuple[str, Severity]]:
    match function:
        case {"name": str(name), "arguments": str(arguments)}:
            if not isinstance(read_row(arguments.encode(errors="replace")).value, dict):
                yield f"the arguments of {name[:40]!r} are no JSON object", Severity.ERROR
            if name not in declared:
                severity = Severity.ERROR if declared else Severity.WARNING
                yield f"{name[:40]!r} is called and not declared in tools", severity
        case {"name": str(), "arguments": _}:
            yield "the arguments are not written as a text", Severity.ERROR
        case _:
            yield "the call has no function name or no arguments", Severity.ERROR


def _named(keys: Set[str]) -> str:
    return ", ".join(repr(key[:40]) for key in sorted(keys)[:5])


def _kind(value: object) -> str:
    """What a JSON value is, with its article."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "an object"

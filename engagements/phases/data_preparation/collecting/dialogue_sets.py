"""Conversations that are written in no provider's format, and how they become chat examples.

message_tree     Open-Assistant: conversations that branch, replies ranked; the best-ranked path of each
message_leaves   the same, every path of it
function_calls   Berkeley function calling: a question, functions, and the accepted calls where they are joined
agent_dialogue   ABCD: turns of customer, agent and action; an action is the call of a tool
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from engagements.phases.data_preparation.collecting.examples import Examples, KnownSet, assistant, rest_of, user
from engagements.phases.data_preparation.collecting.findings import finding
from engagements.phases.data_preparation.collecting.rows import Values, is_list_of, text_of_cell
from engagements.phases.data_preparation.records import Message, Record, Tool

_ROLES: Final = {"prompter": "user", "assistant": "assistant"}
_MAX_LEAVES: Final = 10_000
_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9_-]")
_NAME_CHARS: Final = 64
"""Of a function at OpenAI."""
_JSON_TYPES: Final = {
    "dict": "object", "float": "number", "double": "number", "tuple": "array", "list": "array", "int": "integer",
    "bool": "boolean", "str": "string", "char": "string", "long": "integer", "byte": "integer", "short": "integer",
    "hashmap": "object", "arraylist": "array", "any": "string",
}  # fmt: skip


def _is_tree(value: Values) -> bool:
    prompt = value.get("prompt")
    return isinstance(prompt, dict) and isinstance(prompt.get("replies"), list) and "text" in prompt


def _best_path(value: Values, number: int) -> Examples:
    path, message = list[Values](), value["prompt"]
    while message is not None:
        path.append(message)
        message = min(_replies(message), key=_rank, default=None)
    yield from _thread(value, path, number, "")


def _all_paths(value: Values, number: int) -> Examples:
    for count, path in enumerate(_paths(value["prompt"], [], 0), 1):
        if count > _MAX_LEAVES:
            yield finding("row.too_large", f"more than {_MAX_LEAVES:,} paths in one tree", line=number)
            return
        yield from _thread(value, path, number, text_of_cell(path[-1].get("message_id")) or str(count))


def _paths(message: Values, above: Sequence[Values], depth: int) -> Iterator[list[Values]]:
    """Depth is bounded by the reading of JSON."""
    path, replies = [*above, message], _replies(message)
    if not replies:
        yield path
    for reply in replies:
        yield from _paths(reply, path, depth + 1)


def _replies(message: Values) -> list[Values]:
    replies = message.get("replies")
    return [each for each in replies if isinstance(each, dict) and not each.get("deleted")] if replies else []


def _rank(message: Values) -> tuple[bool, float]:
    """Ranked replies first, the best of them is 0; what was not ranked stays in its order."""
    rank = message.get("rank")
    return not isinstance(rank, int), rank if isinstance(rank, int) else 0


def _thread(value: Values, path: list[Values], number: int, leaf: str) -> Examples:
    """The path up to the last answer; what was said after it, and all else of its messages, goes to `meta`."""
    if any(each.get("role") not in _ROLES or not isinstance(each.get("text"), str) for each in path):
        yield finding("row.bad_thread", "a message without a text, or of an unknown role", line=number)
        return
    end = next((end for end in range(len(path), 0, -1) if path[end - 1]["role"] == "assistant"), 0)
    if not end:
        yield finding("row.no_assistant_target", "nobody answers", line=number)
        return
    tree = text_of_cell(value.get("message_tree_id")) or text_of_cell(path[0].get("message_id"))
    after = [each["text"] for each in path[end:]]
    yield Record(
        id=f"{tree}:{leaf}" if leaf and tree else tree,
        messages=[{"role": _ROLES[each["role"]], "content": each["text"]} for each in path[:end]],
        group=tree or None,
        meta={
            **rest_of(value, "prompt", "message_tree_id"), **({"after": after} if after else {}),
            "thread": [rest_of(each, "text", "role", "replies") for each in path[:end]],
        },
    )  # fmt: skip


def _is_function_question(value: Values) -> bool:
    question, functions = value.get("question"), value.get("function")
    return (
        is_list_of(question, list) and is_list_of(functions, dict) and all(is_list_of(each, dict) for each in question)
    )


def _function_question(value: Values, _number: int) -> Examples:
    """The answer is the first accepted value of each argument, without those that may be left out."""
    messages: list[Message] = [message for turn in value["question"] for message in turn]
    calls = _accepted_calls(value.get("ground_truth"))
    if calls:
        messages.append({"role": "assistant", "content": None, "tool_calls": calls})
    yield Record(
        id=text_of_cell(value.get("id")), messages=messages, tools=[_tool(each) for each in value["function"]],
        meta=rest_of(value, "id", "question"),
    )  # fmt: skip


def _accepted_calls(truth: object) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = []
    for each in truth if is_list_of(truth, dict) else []:
        for name, arguments in each.items():
            first = {key: values[0] for key, values in arguments.items() if isinstance(values, list) and values}
            given = {key: _first_values(each) for key, each in first.items() if each != ""}
            calls.append(_call(name, given, len(calls) + 1))
    return calls


def _first_values(value: object) -> object:
    """Inside of an argument too, every value is a list of accepted ones where it is an object."""
    if isinstance(value, dict):
        return {key: each[0] if isinstance(each, list) and each else each for key, each in value.items()}
    return value


def _call(name: str, arguments: Mapping[str, Any], number: int) -> dict[str, Any]:
    function = {"name": _function_name(name), "arguments": orjson.dumps(arguments).decode()}
    return {"id": f"call_{number}", "type": "function", "function": function}


def _function_name(name: str) -> str:
    return _NOT_IN_NAMES.sub("_", name)[:_NAME_CHARS]


def _tool(function: Values) -> Tool:
    described = {**function, "name": _function_name(text_of_cell(function.get("name")))}
    return {"type": "function", "function": {**described, "parameters": _schema(function.get("parameters"))}}


def _schema(schema: object) -> object:
    """The description of parameters with JSON Schema's names of types."""
    if isinstance(schema, list):
        return [_schema(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kind = schema.get("type")
    renamed = {"type": _JSON_TYPES.get(kind.lower(), kind)} if isinstance(kind, str) else {}
    return {key: _schema(each) for key, each in schema.items()} | renamed


def _is_agent_dialogue(value: Values) -> bool:
    turns = value.get("original")
    return is_list_of(turns, list) and all(len(turn) == 2 and isinstance(turn[1], str) for turn in turns)


def _agent_dialogue(value: Values, number: int) -> Examples:
    """Up to the last word of the agent. Which button an action was stands beside the turn in the delexicalised text."""
    messages: list[Message] = []
    tools: dict[str, Tool] = {}
    marked = value.get("delexed") or []
    for index, (speaker, text) in enumerate(value["original"]):
        match speaker:
            case "customer":
                messages.append(user(text))
            case "agent":
                messages.append(assistant(text))
            case "action":
                name, values = _action(marked[index] if index < len(marked) else {}, text)
                tools.setdefault(name, _action_tool(name))
                call = _call(name, {"values": values}, sum("tool_calls" in each for each in messages) + 1)
                messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
                messages.append({"role": "tool", "tool_call_id": call["id"], "content": text})
            case _:
                yield finding("row.unknown_role", f"nobody knows the speaker {speaker!s:.40}", line=number)
                return
    end = next((end for end in range(len(messages), 0, -1) if messages[end - 1]["role"] == "assistant"), 0)
    if not end:
        yield finding("row.no_assistant_target", "the agent says nothing", line=number)
        return
    name, after = text_of_cell(value.get("convo_id")), messages[end:]
    yield Record(
        id=name, messages=messages[:end], tools=list(tools.values()), group=name or None,
        meta={**rest_of(value, "convo_id", "original"), **({"after": after} if after else {})},
    )  # fmt: skip


def _action(marked: object, text: str) -> tuple[str, list[str]]:
    targets = marked.get("targets") if isinstance(marked, dict) else None
    match targets:
        case [_, "take_action", str(name), list(values), *_]:
            return _function_name(name), [text_of_cell(each) for each in values]
        case _:
            return "action", [text]


def _action_tool(name: str) -> Tool:
    values = {"type": "array", "items": {"type": "string"}, "description": "What the action needs, in its order"}
    parameters = {"type": "object", "properties": {"values": values}, "required": ["values"]}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


DIALOGUE_SETS: Final = (
    KnownSet(name="message_tree", detects=_is_tree, read=_best_path),
    KnownSet(name="message_leaves", detects=_is_tree, read=_all_paths),
    KnownSet(name="function_calls", detects=_is_function_question, read=_function_question),
    KnownSet(name="agent_dialogue", detects=_is_agent_dialogue, read=_agent_dialogue),
)

"""Texts with answers that are neither a provider's format nor a plain table, and how their rows become examples.

record           our own records, as `Record.as_json` writes them
self_instruct    an instruction with its instances
spans            Snips: a text in pieces, some of them entities
tagged_words     CoNLL: words with B-, I- and O tags
squad            articles with paragraphs, questions and answers (SQuAD, XQuAD)
worked_questions few-shot prompts: "Q: ... A: ..." one after the other
"""

import re
from collections.abc import Sequence
from typing import Final

import orjson

from engagements.phases.data_preparation.collecting.examples import Examples, KnownSet, assistant, rest_of, user
from engagements.phases.data_preparation.collecting.findings import finding
from engagements.phases.data_preparation.collecting.rows import PART, Values, is_list_of, text_of_cell
from engagements.phases.data_preparation.records import Record, record_of


def _is_record(value: Values) -> bool:
    return isinstance(value.get("id"), str) and "messages" in value and isinstance(value.get("origin"), dict)


def _record(value: Values, number: int) -> Examples:
    try:
        yield record_of(value)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        yield finding("row.bad_content", f"no record: {error}", line=number)


def _is_self_instruct(value: Values) -> bool:
    return isinstance(value.get("instruction"), str) and is_list_of(value.get("instances"), dict)


def _self_instruct(value: Values, number: int) -> Examples:
    instances = value["instances"]
    name = text_of_cell(value.get("id"))
    for index, instance in enumerate(instances, 1):
        question, answer = text_of_cell(instance.get("input")), text_of_cell(instance.get("output"))
        if not answer.strip():
            yield finding("row.no_assistant_target", "the instance has no output", line=number)
            continue
        asked = f"{value['instruction']}\n\n{question}" if question else value["instruction"]
        yield Record(
            id=f"{name}-{index}" if name and len(instances) > 1 else name, messages=[user(asked), assistant(answer)],
            label=answer.strip() if value.get("is_classification") is True else None, group=name or None,
            meta={**rest_of(value, "id", "instruction", "instances"), **rest_of(instance, "input", "output")},
        )  # fmt: skip


def _is_spans(value: Values) -> bool:
    data = value.get("data")
    return is_list_of(data, dict) and all(isinstance(piece.get("text"), str) for piece in data)


def _spans(value: Values, number: int) -> Examples:
    pieces = value["data"]
    text = "".join(piece["text"] for piece in pieces)
    intent = value.get("intent", value.get(PART))
    if not text.strip():
        yield finding("row.bad_content", "the text is empty", line=number)
        return
    entities = [{"type": piece["entity"], "text": piece["text"]} for piece in pieces if "entity" in piece]
    target = {"intent": intent, "entities": entities} if isinstance(intent, str) else {"entities": entities}
    yield Record(
        id=text_of_cell(value.get("id")), messages=[user(text), assistant(orjson.dumps(target).decode())],
        label=intent if isinstance(intent, str) else None, target=target,
        meta=rest_of(value, "id", "data", "intent"),
    )  # fmt: skip


def _is_tagged(value: Values) -> bool:
    words, tags = value.get("tokens"), value.get("tags", value.get("ner_tags"))
    return is_list_of(words, str) and is_list_of(tags, str) and len(words) == len(tags)


def _tagged(value: Values, _number: int) -> Examples:
    words = value["tokens"]
    entities = entities_of(words, value.get("tags", value.get("ner_tags")) or [])
    target = {"entities": entities}
    yield Record(
        id=text_of_cell(value.get("id")), messages=[user(" ".join(words)), assistant(orjson.dumps(target).decode())],
        target=target, meta=rest_of(value, "id"),
    )  # fmt: skip


def entities_of(words: Sequence[str], tags: Sequence[str]) -> list[dict[str, str]]:
    """The entities that B-, I- and O tags mark; an I- of another type than the word before it begins a new one."""
    entities: list[dict[str, str]] = []
    inside = ""
    for word, tag in zip(words, tags, strict=True):
        mark, _, kind = tag.partition("-")
        if mark in ("I", "E", "L") and kind == inside:
            entities[-1]["text"] += f" {word}"
        elif kind:
            entities.append({"type": kind, "text": word})
        inside = kind
    return entities


def _is_squad(value: Values) -> bool:
    paragraphs = value.get("paragraphs")
    return is_list_of(paragraphs, dict) and all("context" in each and "qas" in each for each in paragraphs)


def _squad(value: Values, number: int) -> Examples:
    title = text_of_cell(value.get("title"))
    for paragraph in value["paragraphs"]:
        context = text_of_cell(paragraph["context"])
        for asked in paragraph["qas"]:
            answers = asked.get("answers") or []
            answer = text_of_cell(answers[0].get("text")) if is_list_of(answers, dict) else ""
            if not answer:
                what = f"the question {text_of_cell(asked.get('id'))[:40]!r} has no answer"
                yield finding("row.no_assistant_target", what, line=number)
                continue
            yield Record(
                id=text_of_cell(asked.get("id")),
                messages=[user(f"{context}\n\n{text_of_cell(asked.get('question'))}"), assistant(answer)],
                group=title or None,
                meta={"title": title, "answers": answers, **rest_of(asked, "id", "question", "answers")},
            )


_WORKED: Final = re.compile(r"(?:\A|\n)Q: ")


def _is_worked(value: Values) -> bool:
    text = value.get("value")
    return isinstance(text, str) and "\nA: " in text and _WORKED.search(text) is not None


def _worked(value: Values, number: int) -> Examples:
    subject = text_of_cell(value.get(PART))
    head, *questions = _WORKED.split(value["value"])
    for each in questions:
        question, _, answer = each.rpartition("\nA: ")
        if not question or not answer.strip():
            yield finding("row.no_assistant_target", "a question without an answer", line=number)
            continue
        yield Record(
            id="", messages=[user(question.strip()), assistant(answer.strip())], group=subject or None,
            meta={**rest_of(value, "value"), "head": head.strip()},
        )  # fmt: skip


TEXT_SETS: Final = (
    KnownSet(name="record", detects=_is_record, read=_record),
    KnownSet(name="self_instruct", detects=_is_self_instruct, read=_self_instruct),
    KnownSet(name="spans", detects=_is_spans, read=_spans),
    KnownSet(name="tagged_words", detects=_is_tagged, read=_tagged),
    KnownSet(name="squad", detects=_is_squad, read=_squad),
    KnownSet(name="worked_questions", detects=_is_worked, read=_worked),
)

"""What is trained of a conversation, for templates that differ: from the end of the prompt to the end-of-turn token."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_llama import SPECIAL, TEMPLATE, byte_tokenizer
from tokenizers import AddedToken
from transformers import PreTrainedTokenizerFast

from backends.peft_local.rows import row_of
from backends.peft_local.worker.encoding import IGNORED, Encoder, EncodingImpossible, rendered

LLAMA2 = (
    "{% for m in messages %}{% if m['role'] == 'user' %}<s>[INST] {{ m['content'] | trim }} [/INST]"
    "{% else %} {{ m['content'] | trim }} </s>{% endif %}{% endfor %}"
)
LLAMA3 = (
    "{{ '<s>' }}{% for m in messages %}<|start|>{{ m['role'] }}<|header|>\n\n{{ m['content'] | trim }}<|eot|>"
    "{% endfor %}{% if add_generation_prompt %}<|start|>assistant<|header|>\n\n{% endif %}"
)
GEMMA = (
    "<s>{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    "{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate') }}{% endif %}"
    "<|start|>{{ 'model' if m['role'] == 'assistant' else m['role'] }}\n{{ m['content'] | trim }}<|eot|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>model\n{% endif %}"
)
# Thoughts of earlier turns are left out, and the prompt of an answer without thought opens and closes one.
THINKING = (
    "{% for m in messages %}<|start|>{{ m['role'] }}\n"
    "{% if m['role'] == 'assistant' and not loop.last %}{{ m['content'].split('</think>')[-1].lstrip('\n') }}"
    "{% else %}{{ m['content'] }}{% endif %}<|eot|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n<think>\n\n</think>\n\n{% endif %}"
)
HOUSE_PROMPT = (
    "{% if messages[0]['role'] != 'system' %}<|start|>system\nYou help.<|eot|>\n{% endif %}"
    "{% for m in messages %}<|start|>{{ m['role'] }}\n{{ m['content'] }}<|eot|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
CALLS = (
    "{% if tools %}<|start|>system\n{{ tools | tojson }}<|eot|>\n{% endif %}{% for m in messages %}"
    "<|start|>{{ m['role'] }}\n{{ m['content'] }}{% for c in m['tool_calls'] or [] %}"
    "<call>{{ c['function'] | tojson }}</call>{% endfor %}<|eot|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
CALLS_ALONE = CALLS.replace("{{ m['content'] }}", "{% if not m['tool_calls'] %}{{ m['content'] }}{% endif %}")
MARKED = (
    "{% for m in messages %}{% if m['role'] == 'assistant' %}<|start|>assistant\n"
    "{% generation %}{{ m['content'] }}{% endgeneration %}<|eot|>\n{% else %}"
    "<|start|>{{ m['role'] }}\n{{ m['content'] }}<|eot|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
NEVER_CLOSED = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
CLOSED_ENDS = {
    "chatml": (TEMPLATE, "<|im_end|>"), "llama2": (LLAMA2, "</s>"), "llama3": (LLAMA3, "<|eot|>"),
    "gemma": (GEMMA, "<|eot|>"), "house prompt": (HOUSE_PROMPT, "<|eot|>"), "marked": (MARKED, "<|eot|>"),
}  # fmt: skip


def tokenizer(template=TEMPLATE):
    made = byte_tokenizer()
    more = ("<s>", "</s>", "<|start|>", "<|header|>", "<|eot|>")
    made.add_special_tokens([AddedToken(name, special=True) for name in more])
    fast = PreTrainedTokenizerFast(tokenizer_object=made, eos_token="</s>", pad_token=SPECIAL[1], bos_token="<s>")
    fast.chat_template = template
    return fast


def turns(*contents, weights=()):
    """User and assistant in turn, with the weights of the assistant's messages."""
    weighted = iter(weights)
    roles = ("user", "assistant")
    messages = [{"role": roles[number % 2], "content": content} for number, content in enumerate(contents)]
    for message in messages[1::2]:
        message |= {"weight": next(weighted, 1)}
    return messages


def row(messages, **more):
    return row_of(1, json.dumps({"messages": messages, **more}).encode())


def trained_texts(template, of, **told):
    """The trained spans as text."""
    tokens = tokenizer(template)
    example = Encoder(tokens, max_length=4096).example(row(of, **told))
    marked = {place for place, label in enumerate(example.labels) if label != IGNORED}
    assert marked == {place for span in example.spans for place in span}
    assert all(example.labels[place] == example.ids[place] for place in marked)
    return [tokens.decode(example.ids[span.start : span.stop]) for span in example.spans]


@pytest.mark.parametrize(("template", "end"), CLOSED_ENDS.values(), ids=CLOSED_ENDS)
def test_an_answer_is_trained_with_its_end_of_turn_and_nothing_else(template, end):
    found = trained_texts(template, turns("Where is it?", "In the yard.", "And now?", "Gone."))
    assert [text.replace(f" {end}", end).lstrip() for text in found] == [f"In the yard.{end}", f"Gone.{end}"]


def test_an_answer_that_weighs_nothing_carries_no_labels():
    of = turns("a?", "wrong", "b?", "right", weights=(0, 1))
    assert trained_texts(TEMPLATE, of) == ["right<|im_end|>"]


def test_what_serving_puts_before_an_answer_is_not_trained():
    tokens = tokenizer(LLAMA3)
    of = turns("Where?", "There.")
    example = Encoder(tokens, max_length=100).example(row(of))
    prompt = tokens(rendered(tokens, of[:1], prompt=True), add_special_tokens=False)["input_ids"]
    assert example.spans[0].start == len(prompt)
    assert example.ids[: len(prompt)] == prompt


def test_thoughts_that_the_template_leaves_out_do_not_move_the_span():
    of = turns("a?", "<think>\nhm\n</think>\n\nfirst", "b?", "<think>\nso\n</think>\n\nsecond")
    assert trained_texts(THINKING, of) == ["first<|eot|>", "<think>\nso\n</think>\n\nsecond<|eot|>"]


def test_an_answer_that_repeats_the_question_or_a_marker_is_found_where_it_stands():
    assert trained_texts(TEMPLATE, turns("assistant\nyes", "assistant\nyes")) == ["assistant\nyes<|im_end|>"]


@pytest.mark.parametrize("template", [CALLS, CALLS_ALONE], ids=["beside content", "instead of content"])
def test_calls_of_tools_are_trained_as_the_template_writes_them(template):
    call = {"id": "c1", "type": "function", "function": {"name": "reorder", "arguments": '{"sku": "A4"}'}}
    of = [
        {"role": "user", "content": "More A4"}, {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "ok"}, {"role": "assistant", "content": "Done."},
    ]  # fmt: skip
    tools = [{"type": "function", "function": {"name": "reorder"}}]
    written = '<call>{"name": "reorder", "arguments": {"sku": "A4"}}</call><|eot|>'
    assert trained_texts(template, of, tools=tools) == [written, "Done.<|eot|>"]


def test_tools_of_a_row_reach_the_template():
    tools = [{"type": "function", "function": {"name": "reorder"}}]
    tokens = tokenizer(CALLS)
    example = Encoder(tokens, max_length=4096).example(row(turns("a", "b"), tools=tools))
    assert '"name": "reorder"' in tokens.decode(example.ids)


def test_a_row_that_is_too_long_loses_its_end_and_says_so():
    example = Encoder(tokenizer(), max_length=20).example(row(turns("a" * 50, "b")))
    assert (len(example.ids), len(example.labels), example.trained) == (20, 20, 0)
    assert example.uncut > 20


def test_a_template_without_end_of_turn_is_noticed():
    encoder = Encoder(tokenizer(NEVER_CLOSED), max_length=100)
    assert encoder.end_of_turn == ""
    assert not encoder.example(row(turns("a", "b"))).closed


def test_a_row_that_the_template_refuses_is_named():
    encoder = Encoder(tokenizer(GEMMA), max_length=100)
    with pytest.raises(EncodingImpossible, match="alternate") as caught:
        encoder.example(row([*turns("a"), *turns("b", "c")]))
    assert caught.value.line == 1


def test_a_tokenizer_without_a_template_is_refused():
    with pytest.raises(EncodingImpossible, match="chat template"):
        Encoder(tokenizer(None), max_length=100)


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Co", "Cc")), min_size=1, max_size=20).filter(
    lambda text: text == text.strip() and "<" not in text
)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(WORDS, WORDS, st.integers(0, 1)), min_size=1, max_size=4), st.sampled_from(sorted(CLOSED_ENDS))
)
def test_whatever_is_said_exactly_the_weighted_answers_are_trained(said, name):
    if not any(weight for _, _, weight in said):
        said = [(*said[0][:2], 1), *said[1:]]
    template, end = CLOSED_ENDS[name]
    of = turns(*(text for asked, answered, _ in said for text in (asked, answered)), weights=[w for *_, w in said])
    found = trained_texts(template, of)
    assert [text.removesuffix(end).strip() for text in found] == [answered for _, answered, weight in said if weight]
    assert all(text.endswith(end) for text in found)

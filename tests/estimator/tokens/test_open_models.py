import json
import sys
from pathlib import Path
from typing import Any

import pytest

from estimator.errors import DatasetUnreadable, UnknownName
from estimator.tokens import ExtraMissing, OpenTokeniser, count_dataset
from estimator.tokens.open_models import PLAIN, TEMPLATES

ROW: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Where is it?"},
        {"role": "assistant", "content": "Here."},
    ]
}


def tokenizer_file(folder: Path, *special: str) -> Path:
    """A tokenizer of whole words: every word and every special token counts one."""
    added = [
        {"id": number, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
            "special": True}
        for number, token in enumerate(special, start=1)
    ]  # fmt: skip
    path = folder / "tokenizer.json"
    path.write_text(
        json.dumps(
            {
                "version": "1.0",
                "added_tokens": added,
                "pre_tokenizer": {"type": "WhitespaceSplit"},
                "model": {"type": "WordLevel", "vocab": {"?": 0}, "unk_token": "?"},
            }
        )
    )
    return path


def written(tokeniser: OpenTokeniser, row: dict[str, Any] = ROW) -> str:
    texts = tokeniser.texts_of(row)
    return "".join([*texts.repeated, *texts.prompts, *texts.answers])


CHATML = """\
<|im_start|>system
Be brief.<|im_end|>
<|im_start|>user
Where is it?<|im_end|>
<|im_start|>assistant
Here.<|im_end|>
"""
LLAMA_3 = """\
<|begin_of_text|><|start_header_id|>system<|end_header_id|>

Be brief.<|eot_id|><|start_header_id|>user<|end_header_id|>

Where is it?<|eot_id|><|start_header_id|>assistant<|end_header_id|>

Here.<|eot_id|>"""
MISTRAL = """\
<s>[INST] Be brief.

Where is it?[/INST] Here.</s>"""
GEMMA = """\
<bos><start_of_turn>user
Be brief.

Where is it?<end_of_turn>
<start_of_turn>model
Here.<end_of_turn>
"""
PHI_3 = """\
<|system|>
Be brief.<|end|>
<|user|>
Where is it?<|end|>
<|assistant|>
Here.<|end|>
"""
PHI_4 = (
    "<|im_start|>system<|im_sep|>Be brief.<|im_end|><|im_start|>user<|im_sep|>Where is it?<|im_end|>"
    "<|im_start|>assistant<|im_sep|>Here.<|im_end|>"
)


@pytest.mark.parametrize(
    ("special", "name", "text"),
    [
        ("<|im_start|> <|im_end|>", "chatml", CHATML),
        ("<|begin_of_text|> <|start_header_id|> <|end_header_id|> <|eot_id|>", "llama3", LLAMA_3),
        ("<s> </s> [INST] [/INST]", "mistral", MISTRAL),
        ("<bos> <start_of_turn> <end_of_turn>", "gemma", GEMMA),
        ("<|user|> <|assistant|> <|system|> <|end|>", "phi3", PHI_3),
        ("<|im_start|> <|im_sep|> <|im_end|>", "phi4", PHI_4),
    ],
)
def test_a_family_is_recognised_by_its_special_tokens(tmp_path: Path, special: str, name: str, text: str) -> None:
    tokeniser = OpenTokeniser.load(tokenizer_file(tmp_path, *special.split()))
    assert tokeniser.template is TEMPLATES[name]
    assert written(tokeniser) == text
    assert tokeniser.note == ""


def test_without_a_known_template_only_the_texts_count_and_that_is_said(tmp_path: Path) -> None:
    tokeniser = OpenTokeniser.load(tokenizer_file(tmp_path))
    assert tokeniser.template is PLAIN
    assert written(tokeniser) == "Be brief.Where is it?Here."
    path = tmp_path / "train.jsonl"
    path.write_text("\n".join(json.dumps(ROW) for _ in range(10)))
    counted = count_dataset(path, tokeniser=tokeniser, epochs=2)
    assert (counted.tokens_per_epoch, counted.trained_tokens) == (10 * 6, 120)
    assert counted.problem_counts["template_unknown"] == 1


def test_a_template_can_be_named(tmp_path: Path) -> None:
    tokeniser = OpenTokeniser.load(tokenizer_file(tmp_path), template="chatml")
    assert written(tokeniser).startswith("<|im_start|>system")


def test_an_unknown_template_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownName):
        OpenTokeniser.load(tokenizer_file(tmp_path), template="esperanto")


@pytest.mark.parametrize("content", [b"", b"{}", b"not json", b"\xff\xfe"])
def test_a_file_that_is_no_tokenizer_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content)
    with pytest.raises(DatasetUnreadable) as refusal:
        OpenTokeniser.load(tmp_path)
    assert refusal.value.problems[0].code == "tokenizer_unreadable"


def test_without_the_optional_package_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tokenizer_file(tmp_path)
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(ExtraMissing) as refusal:
        OpenTokeniser.load(path)
    assert "open-models" in refusal.value.problems[0].remedy


@pytest.mark.shared_data
def test_a_conversation_counts_as_the_models_own_template_writes_it(shared_data: Path) -> None:
    tokeniser = OpenTokeniser.load(shared_data / "sets/35_tiny_lm/model")
    texts = tokeniser.texts_of(ROW)
    # A byte-level model: one token for each byte of text and one for each of the six markers.
    whole = written(tokeniser)
    markers = whole.count("<|im_start|>") + whole.count("<|im_end|>")
    plain = whole.replace("<|im_start|>", "").replace("<|im_end|>", "")
    assert sum(tokeniser.counts([*texts.repeated, *texts.prompts, *texts.answers])) == markers + len(plain.encode())

import json
from pathlib import Path

import pytest

from estimator.errors import UnknownName
from estimator.tokens import image_tokens, prompt_tokens


@pytest.mark.shared_data
def test_published_prompt_counts_are_met(shared_data: Path) -> None:
    vectors = json.loads((shared_data / "sets/16_tiktoken_bpe/message_count_vectors.json").read_text("utf-8"))
    expected = [
        (vector, model.partition(" ")[0], count) for vector in vectors for model, count in vector["expected"].items()
    ]
    assert len(expected) == 9
    for vector, model, count in expected:
        assert prompt_tokens(vector["messages"], vector.get("tools", []), model) == count, (vector["id"], model)


def test_a_message_costs_three_its_role_and_its_text_and_the_answer_is_primed() -> None:
    assert prompt_tokens([{"role": "user", "content": "hello"}], [], "gpt-4o") == 3 + 1 + 1 + 3


def test_parts_of_a_message_count_by_their_text() -> None:
    parts = [{"type": "text", "text": "hello"}, {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}]
    assert prompt_tokens([{"role": "user", "content": parts}], [], "gpt-4o") == 8


def test_a_prompt_of_an_unknown_model_is_refused() -> None:
    with pytest.raises(UnknownName):
        prompt_tokens([], [], "gpt-99")


@pytest.mark.parametrize(
    ("width", "height", "model", "tokens"),
    [
        (512, 512, "gpt-4o", 85 + 170),
        (1024, 1024, "gpt-4o", 765),
        (2048, 4096, "gpt-4.1", 1_105),
        (1024, 1024, "gpt-4o-mini", 2_833 + 4 * 5_667),
        (1024, 1024, "o3", 75 + 4 * 150),
        (1024, 1024, "gpt-4.1-mini-2025-04-14", 1_659),
        (64, 32, "gpt-4.1-nano", 5),
        (4096, 4096, "o4-mini", 2_642),
        (1024, 1024, "ft:gpt-4o-2024-08-06:acme::x", 765),
    ],
)
def test_an_image_costs_what_the_guide_says(width: int, height: int, model: str, tokens: int) -> None:
    assert image_tokens(width, height, model).tokens == tokens


def test_low_detail_costs_the_base_and_an_ambiguous_rule_says_so() -> None:
    assert image_tokens(4000, 3000, "gpt-4o", detail="low").tokens == 85
    assert image_tokens(10, 10, "gpt-4o").note == ""
    assert "ambiguously" in image_tokens(10, 10, "gpt-4.1-mini").note


def test_images_of_a_model_without_a_rule_are_unknown() -> None:
    with pytest.raises(UnknownName):
        image_tokens(10, 10, "gpt-3.5-turbo")

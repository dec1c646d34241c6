import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.errors import UnknownName
from estimator.tokens import RanksUnusable, encoding_for, encodings
from estimator.tokens.encodings import NAMES, Encoding, encoding_named

UMLAUTS_AND_EMOJI = "Grüße, 你好 🚀 — 1234567 tokens\n"


def test_known_text_has_17_and_15_tokens() -> None:
    assert [encoding_named(name).count(UMLAUTS_AND_EMOJI) for name in NAMES] == [17, 15]


@pytest.mark.shared_data
def test_ids_are_tiktokens_own(shared_data: Path) -> None:
    vectors = (shared_data / "sets/16_tiktoken_bpe/token_id_vectors.jsonl").read_bytes().splitlines()
    ours = [vector for vector in map(json.loads, vectors) if vector["encoding"] in NAMES and "special" not in vector]
    assert len(ours) > 10
    for vector in ours:
        assert encoding_named(vector["encoding"]).ids(vector["text"]) == vector["ids"], vector


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-4o-mini-2024-07-18", "o200k_base"),
        ("gpt-4.1", "o200k_base"),
        ("o4-mini", "o200k_base"),
        ("ft:gpt-4.1-nano-2025-04-14:acme::x", "o200k_base"),
        ("ft:o4-mini-2025-04-16:acme:tone:abc", "o200k_base"),
        ("gpt-4o-2024-08-06.ft-0123abcd", "o200k_base"),
        ("gpt-3.5-turbo-0125", "cl100k_base"),
        ("ft:gpt-3.5-turbo-1106:acme:tone:abc", "cl100k_base"),
        ("gpt-4-0613", "cl100k_base"),
    ],
)
def test_a_model_and_its_tunes_have_the_encoding_of_the_base(model: str, name: str) -> None:
    assert encoding_for(model).name == name


@pytest.mark.parametrize("model", ["gpt-6-luna", "gpt-3.5-turbo-FAKE", "ft:gpt-9:acme::x", "llama-3.1-8b", ""])
def test_an_unknown_model_is_refused_and_never_guessed(model: str) -> None:
    with pytest.raises(UnknownName) as refusal:
        encoding_for(model)
    assert refusal.value.problems[0].code == "unknown_model"


def test_text_that_spells_a_special_token_is_ordinary_text() -> None:
    encoding = encoding_for("gpt-4o")
    assert encoding.count("<|endoftext|>") == 7
    assert encoding.counts(["a", "<|endoftext|>", "b"]).tolist() == [1, 7, 1]


@given(st.lists(st.text(), min_size=1, max_size=8))
def test_texts_counted_together_count_as_they_do_alone(texts: list[str]) -> None:
    encoding = encoding_for("gpt-4o")
    assert encoding.counts(texts).tolist() == [encoding.count(text) for text in texts]


def test_half_a_surrogate_pair_is_counted_and_not_fatal() -> None:
    assert encoding_for("gpt-4o").counts(["cut \ud83d", "fine"]).tolist() == [2, 1]


def test_altered_or_missing_ranks_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(encodings.RANKS / "cl100k_base.tiktoken", tmp_path)
    with (tmp_path / "cl100k_base.tiktoken").open("ab") as ranks:
        ranks.write(b"\n")
    monkeypatch.setattr(encodings, "RANKS", tmp_path)
    encoding_named.cache_clear()
    found = []
    for name in NAMES:
        with pytest.raises(RanksUnusable) as refusal:
            encoding_named(name)
        found.append(refusal.value.problems[0].code)
    assert found == ["ranks_altered", "ranks_missing"]


def test_an_encoding_nobody_ships_is_refused() -> None:
    with pytest.raises(UnknownName):
        encoding_named("p50k_base")


def test_an_encoding_is_built_once() -> None:
    assert isinstance(encoding_for("gpt-4o"), Encoding)
    assert encoding_for("gpt-4o") is encoding_for("gpt-4.1-mini")

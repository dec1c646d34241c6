import csv
from pathlib import Path

import pytest

from estimator.errors import UnknownName
from estimator.hardware import Loss, Shape, find_model


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("llama-3.1-8b-instruct", "Llama-3.1-8B"),
        ("meta-llama/Meta-Llama-3-8B", "Llama-3-8B"),
        ("meta-llama/Llama-3.3-70B-Instruct", "Llama-3.3-70B"),
        ("unsloth/Meta-Llama-3.1-8B-Instruct-bnb-4bit", "Llama-3.1-8B"),
        ("TheBloke/Mistral-7B-v0.1-GPTQ", "Mistral-7B"),
        ("mistralai/Mistral-7B-Instruct-v0.3", "Mistral-7B-v0.3"),
        ("mistralai/Mistral-7B-Instruct-v0.2", "Mistral-7B"),
        ("Qwen/Qwen3-4B-Instruct-2507", "Qwen3-4B"),
        ("qwen 2.5 7b", "Qwen2.5-7B"),
        ("google/gemma-3-27b-it", "Gemma-3-27B"),
        ("GEMMA-2B", "Gemma-2B"),
        ("google/gemma-2-2b", "Gemma-2-2B"),
        ("openai/gpt-oss-20b", "gpt-oss-20B"),
        ("microsoft/Phi-3-mini-4k-instruct", "Phi-3-mini"),
        ("HuggingFaceTB/SmolLM2-135M-Instruct", "SmolLM2-135M"),
        ("mistralai/Ministral-8B-Instruct-2410", "Ministral-8B"),
        ("bigscience/bloomz-7b1 (7B)", "bloomz-7b1"),
    ],
)
def test_a_model_goes_by_many_names(spelling: str, name: str) -> None:
    assert find_model(spelling).name == name


def test_an_unknown_model_says_which_names_come_close_and_what_to_add() -> None:
    with pytest.raises(UnknownName, match=r"Llama-3\.1-8B.*config\.json") as refusal:
        find_model("Llama-3.1-9B")
    assert [problem.code for problem in refusal.value.problems] == ["unknown_model"]


@pytest.mark.parametrize("name", ["", "/", "GPT-2-355M", "7B"])
def test_no_default_stands_in_for_an_unknown_name(name: str) -> None:
    with pytest.raises(UnknownName):
        find_model(name)


def test_a_model_known_by_its_counts_alone_says_that_its_shape_is_inferred() -> None:
    kimi = find_model("moonshotai/Kimi-K2.6")
    assert (kimi.shape, kimi.parameters, kimi.active_parameters) == (Shape.INFERRED, 1_026_000_000_000, 32_000_000_000)
    assert "inferred" in kimi.note


def test_embedding_look_ups_do_not_multiply() -> None:
    untied, tied = find_model("Llama-3-8B"), find_model("Llama-3.2-3B")
    assert untied.multiplying_parameters == untied.parameters - 128_256 * 4096
    assert tied.multiplying_parameters == tied.parameters


def test_the_loss_is_fused_where_a_kernel_is_published() -> None:
    assert find_model("Qwen3-8B").loss is Loss.FUSED
    assert find_model("Qwen-7B").loss is Loss.PLAIN


def test_every_model_has_a_source() -> None:
    assert find_model("Llama-3-8B").source
    assert find_model("Llama-3-8B").licence == "Llama 3 Community"


@pytest.mark.shared_data
@pytest.mark.parametrize("file", ["training_memory.csv", "training_throughput.csv"])
def test_every_measured_model_is_known_and_has_the_measured_size(shared_data: Path, file: str) -> None:
    with (shared_data / "economics" / file).open(encoding="utf-8", newline="") as rows:
        sizes_b = {row["model"]: row["params_b"] for row in csv.DictReader(rows)}
    for name, size_b in sizes_b.items():
        known = find_model(name)
        # 6 %: some sources round, and some count an image encoder that is not trained.
        assert not size_b or known.parameters == pytest.approx(float(size_b) * 1e9, rel=0.06), name

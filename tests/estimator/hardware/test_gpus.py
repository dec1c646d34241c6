import csv
from pathlib import Path

import pytest

from estimator.errors import UnknownName
from estimator.hardware import find_gpu, known_gpus


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("a100-80gb-sxm", "A100-80GB-SXM"),
        ("NVIDIA A100-SXM4-80GB", "A100-80GB-SXM"),
        ("A100-40GB-SXM", "A100-40GB"),
        ("h100 pcie", "H100-80GB-PCIe"),
        ("H200-141GB", "H200"),
        ("B200-180GB", "B200"),
        ("4090", "RTX4090"),
        ("GeForce RTX 4090", "RTX4090"),
        ("RTX4090-24GB", "RTX4090"),
        ("RTX 3090", "RTX3090"),
        ("RTX-A6000", "A6000"),
        ("RTX-A5000-24GB", "A5000"),
        ("L40S-48GB", "L40S"),
        ("Tesla T4", "T4"),
        ("b200", "B200"),
    ],
)
def test_a_card_goes_by_many_names_without_a_word_about_it(spelling: str, name: str) -> None:
    gpu = find_gpu(spelling)
    assert gpu.name == name
    assert "read as" not in gpu.note


@pytest.mark.parametrize(
    ("short", "name"),
    [
        ("A100", "A100-80GB-SXM"),
        ("a100 80gb", "A100-80GB-SXM"),
        ("A100-80GB", "A100-80GB-SXM"),
        ("H100", "H100-80GB-SXM"),
        ("v100", "V100-16GB"),
    ],
)
def test_a_form_that_fits_several_cards_says_which_one_it_took(short: str, name: str) -> None:
    gpu = find_gpu(short)
    assert gpu.name == name
    assert f"{short!r} read as {name}" in gpu.note


def test_an_unknown_card_says_which_come_close_and_what_to_add() -> None:
    with pytest.raises(UnknownName, match=r"RTX4090.*vram_gb, memory bandwidth") as refusal:
        find_gpu("RTX 4095")
    assert [problem.code for problem in refusal.value.problems] == ["unknown_gpu"]


def test_every_card_can_use_no_more_than_it_was_sold_with() -> None:
    for gpu in map(find_gpu, known_gpus()):
        assert 0.9 * gpu.vram_gb <= gpu.visible_gib <= gpu.vram_gb, gpu.name
        assert gpu.source, gpu.name
        assert gpu.as_of, gpu.name
        assert gpu.reachable_tflops is None or gpu.bf16_tflops is None or gpu.reachable_tflops <= gpu.bf16_tflops


def test_a_large_product_reaches_what_was_measured_or_a_share_of_the_peak() -> None:
    assert find_gpu("A100-80GB-SXM").reachable_tflops == 268
    assert find_gpu("L40S").reachable_tflops == pytest.approx(0.83 * 362.05)


@pytest.mark.shared_data
def test_specified_cards_have_the_specified_numbers(shared_data: Path) -> None:
    with (shared_data / "economics" / "gpu_specs.csv").open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            gpu = find_gpu(row["gpu"])
            found = (gpu.name, gpu.vram_gb, gpu.hbm_gb_s, gpu.bf16_tflops)
            published = map(float, (row["vram_gb"], row["hbm_gb_s"], row["dense_bf16_tflops"]))
            assert found == (row["gpu"], *published)


@pytest.mark.shared_data
@pytest.mark.parametrize("file", ["gpu_prices.csv", "training_memory.csv", "training_throughput.csv"])
def test_every_priced_or_measured_card_is_known(shared_data: Path, file: str) -> None:
    with (shared_data / "economics" / file).open(encoding="utf-8", newline="") as rows:
        names = {row["gpu"] for row in csv.DictReader(rows)} - {"any"}
    assert all(find_gpu(name) for name in names)


def test_an_unknown_card_is_answered_with_those_that_come_near_as_they_are_written() -> None:
    with pytest.raises(UnknownName, match=r"did you mean H100,"):
        find_gpu("H1000")

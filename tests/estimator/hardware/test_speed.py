from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.hardware import (
    Method,
    Term,
    TrainingSetup,
    find_gpu,
    find_model,
    known_gpus,
    known_models,
    training_speed,
)
from estimator.hardware.speed import CALIBRATION, flops_per_parameter, ideal_seconds

A100 = find_gpu("A100-80GB-SXM")
LORA = TrainingSetup(model=find_model("Llama-3.1-8B"), gpu=A100, method=Method.LORA, seq=4096, micro_batch=4)

SETUPS = st.builds(
    TrainingSetup,
    model=st.sampled_from(known_models()).map(find_model),
    gpu=st.sampled_from(known_gpus()).map(find_gpu),
    method=st.sampled_from(Method),
    seq=st.integers(1, 131_072),
    micro_batch=st.integers(1, 64),
    gpus=st.sampled_from([1, 2, 4, 8, 16]),
    grad_checkpointing=st.booleans(),
)


@pytest.mark.parametrize(
    ("method", "grad_checkpointing", "tokens_per_s"),
    [(Method.LORA, False, 5571), (Method.LORA, True, 3714), (Method.QLORA, True, 3714), (Method.FULL, True, 2786)],
)
def test_7b_at_half_of_an_a100s_peak(method: Method, grad_checkpointing: bool, tokens_per_s: int) -> None:
    flops = flops_per_parameter(method, grad_checkpointing=grad_checkpointing) * 7.0e9
    assert round(312e12 * 0.5 / flops) == tokens_per_s


def test_the_ideal_seconds_of_a_micro_step_by_hand() -> None:
    ideal = ideal_seconds(LORA)
    assert ideal is not None
    tokens = 4 * 4096
    assert ideal[Term.MATMUL] == pytest.approx(6 * (8_030_261_248 - 128_256 * 4096) * tokens / 268e12)
    assert ideal[Term.ATTENTION] == pytest.approx(4 * 2 * 32 * 4096 * 4096 * tokens / 268e12)
    assert ideal[Term.TRAFFIC] == pytest.approx(4 * tokens * 32 * 2 * (4096 + 14_336) / 2039e9)
    assert ideal[Term.LAUNCH] == pytest.approx(4 * 32 * 1e-3)
    assert [ideal[term] for term in (Term.DEQUANTISE, Term.OPTIMISER, Term.EXPERTS, Term.GATHER)] == [0, 0, 0, 0]


def test_the_speed_is_the_tokens_over_the_calibrated_seconds() -> None:
    ideal = ideal_seconds(LORA)
    assert ideal is not None
    seconds = sum(CALIBRATION[term] * ideal[term] for term in Term)
    assert training_speed(LORA).tokens_per_s == pytest.approx(4 * 4096 / seconds)


def test_4_bit_weights_are_unpacked_in_every_pass() -> None:
    ideal = ideal_seconds(replace(LORA, method=Method.QLORA))
    assert ideal is not None
    assert ideal[Term.DEQUANTISE] == pytest.approx(4 * 2.5 * (8_030_261_248 - 2 * 128_256 * 4096) / 2039e9)


def test_sharded_weights_are_gathered_twice_and_gradients_sent_back() -> None:
    lora, full = (ideal_seconds(replace(LORA, gpus=4, method=method)) for method in (Method.LORA, Method.FULL))
    assert lora is not None
    assert full is not None
    assert lora[Term.GATHER] == pytest.approx(2 * 2 * 8_030_261_248 * 3 / 4 / 600e9)
    assert full[Term.GATHER] == pytest.approx(1.5 * lora[Term.GATHER])


def test_a_mixture_computes_with_its_active_parameters() -> None:
    dense, mixture = LORA, replace(LORA, model=find_model("Mixtral-8x7B"))
    by_hand = ideal_seconds(mixture)
    assert by_hand is not None
    active = 12_879_925_248 - 32_000 * 4096
    assert by_hand[Term.MATMUL] == pytest.approx(6 * active * 4 * 4096 / 268e12)
    assert by_hand[Term.EXPERTS] == pytest.approx(4 * 32 * 8 * 1e-3)
    assert (training_speed(mixture).tokens_per_s or 0) < (training_speed(dense).tokens_per_s or 0)


def test_short_examples_are_slow_because_launches_take_the_time() -> None:
    short = training_speed(replace(LORA, seq=4096, mean_tokens=64, micro_batch=1))
    assert short.shares[Term.LAUNCH] > 0.5
    assert (short.tokens_per_s or 0) < 0.6 * (training_speed(LORA).tokens_per_s or 0)


def test_padding_lowers_the_lower_end_alone() -> None:
    packed, padded = replace(LORA, seq=512, micro_batch=4), replace(LORA, seq=1024, micro_batch=4, mean_tokens=512)
    assert training_speed(padded).tokens_per_s == training_speed(packed).tokens_per_s
    assert training_speed(padded).high == training_speed(packed).high
    assert training_speed(padded).low == pytest.approx((training_speed(packed).low or 0) / 1.5)


@pytest.mark.parametrize("unknown", ["bf16_tflops", "hbm_gb_s"])
def test_a_card_without_peak_or_bandwidth_has_an_unknown_speed_and_never_0(unknown: str) -> None:
    card = replace(find_gpu("L40S"), matmul_tflops=None, **{unknown: None})
    speed = training_speed(replace(LORA, gpu=card))
    assert (speed.tokens_per_s, speed.low, speed.high) == (None, None, None)
    assert speed.notes == ("the peak or the memory bandwidth of L40S is unknown",)


def test_what_nobody_measured_widens_the_interval_and_says_so() -> None:
    known, unmeasured = training_speed(LORA), training_speed(replace(LORA, gpu=find_gpu("H100-80GB-PCIe")))
    assert known.notes == ()
    assert (known.high or 0) / (known.tokens_per_s or 1) == pytest.approx(1.45)
    assert (unmeasured.high or 0) / (unmeasured.tokens_per_s or 1) == pytest.approx(1.45 * 1.2)
    assert unmeasured.notes == ("no training speed measured on H100-80GB-PCIe is in the calibration",)


def test_a_mixture_and_an_inferred_shape_widen_it_further() -> None:
    kimi = training_speed(replace(LORA, model=find_model("Kimi-K2.6"), method=Method.QLORA, gpus=16))
    assert (kimi.high or 0) / (kimi.tokens_per_s or 1) == pytest.approx(1.45 * 1.5 * 1.2 * 1.1)
    assert len(kimi.notes) == 3


@given(SETUPS)
def test_the_estimate_lies_in_its_interval_and_its_shares_sum_to_one(setup: TrainingSetup) -> None:
    speed = training_speed(setup)
    assert speed.tokens_per_s is not None
    assert speed.low is not None
    assert speed.high is not None
    assert 0 < speed.low < speed.tokens_per_s < speed.high
    assert sum(speed.shares.values()) == pytest.approx(1)


@given(SETUPS)
def test_full_tuning_is_never_faster_than_an_adapter_on_one_gpu(setup: TrainingSetup) -> None:
    full, lora = (training_speed(replace(setup, gpus=1, method=m)).tokens_per_s for m in (Method.FULL, Method.LORA))
    assert (full or 0) <= (lora or 0)


@given(SETUPS, st.integers(2, 4))
def test_a_larger_micro_batch_is_never_slower_per_token(setup: TrainingSetup, times: int) -> None:
    # One GPU: a replicated adapter may have to be sharded as its micro-batch grows.
    one = replace(setup, gpus=1)
    more = replace(one, micro_batch=one.micro_batch * times)
    assert (training_speed(more).tokens_per_s or 0) >= (training_speed(one).tokens_per_s or 0) * (1 - 1e-9)

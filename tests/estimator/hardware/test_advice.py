from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from estimator.hardware import (
    Method,
    Remedy,
    TrainingSetup,
    Verdict,
    advise,
    find_gpu,
    find_model,
    known_gpus,
    known_models,
)

LORA_7B = TrainingSetup(model=find_model("Mistral-7B"), gpu=find_gpu("T4"), method=Method.LORA, seq=2048)


def test_a_bf16_7b_lora_on_16_gib_does_not_fit_and_needs_qlora() -> None:
    advice = advise(LORA_7B)
    assert advice.verdict is Verdict.DOES_NOT_FIT
    assert advice.text.startswith("does not fit: 16.9 of 15.0 GiB per GPU; needs QLoRA or 2 GPUs or a larger GPU")
    qlora = advice.alternatives[0]
    assert qlora.remedies == (Remedy.QLORA,)
    assert qlora.text == f"needs QLoRA: {qlora.memory.needed_gib:.1f} of 15.0 GiB per GPU"
    assert qlora.setup == replace(LORA_7B, method=Method.QLORA)


def test_a_run_that_fits_needs_nothing() -> None:
    advice = advise(replace(LORA_7B, gpu=find_gpu("A100")))
    assert (advice.verdict, advice.alternatives) == (Verdict.FITS, ())


def test_a_run_that_fills_the_card_fits_tightly() -> None:
    full = replace(LORA_7B, model=find_model("Llama-3-8B"), gpu=find_gpu("A100"), method=Method.FULL)
    assert advise(full).verdict is Verdict.FITS_TIGHTLY


def test_checkpointing_is_the_first_thing_to_turn_on() -> None:
    kept = replace(LORA_7B, gpu=find_gpu("RTX4090"), seq=4096, grad_checkpointing=False)
    first = advise(kept).alternatives[0]
    assert first.remedies == (Remedy.GRAD_CHECKPOINTING,)
    assert first.setup == replace(kept, grad_checkpointing=True)


def test_the_largest_micro_batch_that_fits_is_named() -> None:
    large = replace(LORA_7B, gpu=find_gpu("A100"), seq=4096, micro_batch=64)
    smaller = advise(large).alternatives[0]
    assert (smaller.remedies, smaller.setup.micro_batch) == ((Remedy.MICRO_BATCH,), 16)
    assert smaller.text.startswith("needs a micro-batch of 16: ")


def test_several_changes_together_where_no_single_one_does() -> None:
    kept = replace(LORA_7B, seq=4096, micro_batch=8, grad_checkpointing=False)
    together = advise(kept).alternatives[0]
    assert together.remedies == (Remedy.QLORA, Remedy.GRAD_CHECKPOINTING, Remedy.MICRO_BATCH)
    assert together.text.startswith("needs QLoRA + gradient checkpointing + a micro-batch of 4: ")


def test_full_tuning_of_70b_needs_a_lighter_method_or_a_cluster() -> None:
    full = replace(LORA_7B, model=find_model("Llama-3.1-70B"), gpu=find_gpu("H100"), gpus=8, method=Method.FULL)
    assert [alternative.remedies for alternative in advise(full).alternatives] == [
        (Remedy.LORA,), (Remedy.QLORA,), (Remedy.GPUS,),
    ]  # fmt: skip
    assert advise(full).alternatives[-1].setup.gpus == 32


@given(
    st.builds(
        TrainingSetup,
        model=st.sampled_from(known_models()).map(find_model),
        gpu=st.sampled_from(known_gpus()).map(find_gpu),
        method=st.sampled_from(Method),
        seq=st.integers(1, 131_072),
        micro_batch=st.integers(1, 64),
        gpus=st.sampled_from([1, 2, 8, 64]),
        grad_checkpointing=st.booleans(),
    )
)
def test_every_alternative_was_computed_to_fit(setup: TrainingSetup) -> None:
    advice = advise(setup)
    assert (advice.verdict is Verdict.DOES_NOT_FIT) is not advice.memory.fits
    assert all(alternative.memory.fits and alternative.remedies for alternative in advice.alternatives)
    assert not (advice.memory.fits and advice.alternatives)

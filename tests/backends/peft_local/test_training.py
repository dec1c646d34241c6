"""The loop on a tiny model: exact after any stop, the same however a step is cut, and honest about how it ended."""

import json
import resource
import shutil
from contextlib import contextmanager

import pytest
from running_here import Here
from safetensors.numpy import load_file
from tiny_llama import tiny_llama

from backends.events import RunState
from backends.peft_local.defaults import settled
from backends.peft_local.manifests import steps_in, verified
from backends.peft_local.worker.artefact import admitted
from backends.peft_local.worker.training import learning_rate
from backends.spec import Hyperparameters

# What PEFT 0.21 still asks of transformers 5.23.
pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")


@pytest.fixture
def here(tmp_path):
    def made(spec, name="run", **options):
        return Here(tmp_path / "runs" / name, spec, options)

    return made


@contextmanager
def limited(which, soft):
    before = resource.getrlimit(which)
    resource.setrlimit(which, (soft, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(which, before)


def long_rows(count):
    asked = {"role": "user", "content": "say it again"}
    return [{"messages": [asked, {"role": "assistant", "content": f"{n % 10} " * 60}]} for n in range(count)]


@pytest.mark.parametrize("knobs", [
    {"dropout": 0.1}, {"adapter": "full", "rank": None, "batching": "padded"},
    {"adapter": "dora", "batching": "length_grouped", "gradient_checkpointing": True, "schedule": "cosine"},
], ids=["packed with dropout", "every weight", "dora, grouped, checkpointed"])  # fmt: skip
def test_stopped_after_every_step_it_goes_on_with_the_very_same_losses(here, spec, knobs):
    run = spec(**knobs)
    whole = here(run, "whole")
    assert whole.train().state is RunState.SUCCEEDED
    stopped = here(run, "stopped")
    for step in range(1, 8):
        standing = stopped.train(stops=True)
        assert (standing.state, standing.step) == (RunState.RUNNING, step)
    assert stopped.train().state is RunState.SUCCEEDED
    assert stopped.losses == whole.losses
    assert sorted(whole.losses) == list(range(9))
    assert not any("inexact" in each["id"] for each in stopped.events)
    assert weights_of(stopped) == weights_of(whole)


def weights_of(run):
    return verified(run.folder.result()).weights_sha256


def test_it_learns_and_leaves_an_adapter_that_may_be_loaded(here, spec):
    run = here(spec(epochs=6))
    standing = run.train()
    assert (standing.state, standing.failure) == (RunState.SUCCEEDED, None)
    first, last = run.losses[0][1], run.losses[24][1]
    assert last < first / 2
    manifest = admitted(run.path / "adapter")
    assert set(manifest.files) >= {
        "adapter_model.safetensors", "adapter_config.json", "README.md", "tokenizer.json", "chat_template.jinja",
    }  # fmt: skip
    assert standing.usage.trained_tokens == 24 * 3 * 6
    assert standing.usage.seen_tokens == run.audit["tokens"] * 6
    assert standing.usage.seconds > 0
    assert standing.usage.peak_memory_bytes > 10**7


def test_a_fresh_adapter_answers_as_its_base_does(here, spec):
    """Rank and seed change nothing before the first step."""
    losses = [here(spec(rank=rank, seed=rank), str(rank)) for rank in (2, 8)]
    for each in losses:
        each.train(stops=True)
    assert losses[0].losses[0] == losses[1].losses[0]


@pytest.mark.parametrize("knobs", [
    {"batching": "padded"}, {"batching": "padded", "micro_batch_size": 1}, {"micro_batch_size": 6},
], ids=["padded", "row by row", "in one pack"])  # fmt: skip
def test_however_a_step_is_cut_it_is_the_same_step(here, spec, knobs):
    exact = {"precision": "fp32"}
    packed, cut = here(spec(**exact), "packed"), here(spec(**knobs | exact), "cut")
    assert packed.train().environment["batching"] == "packed"
    cut.train()
    for step in range(1, 9):
        assert cut.losses[step] == pytest.approx(packed.losses[step], abs=2e-4)


def test_packed_and_unpacked_rows_lose_the_same(here, spec):
    run = here(spec(micro_batch_size=6))
    run.train(stops=True)
    assert run.audit["packed_loss"] == pytest.approx(run.audit["unpacked_loss"], abs=1e-5)


def test_a_model_that_cannot_be_packed_is_grouped_by_length_instead(here, spec, tmp_path):
    told = {"architectures": ["MistralForCausalLM"], "model_type": "mistral", "sliding_window": 8}
    narrow = tiny_llama(tmp_path / "narrow", **told)
    run = here(spec().model_copy(update={"model": str(narrow)}))
    assert run.train().environment["batching"] == "length_grouped"
    assert [each["level"] for each in run.events if each["id"] == "not-packed"] == ["warning"]


def test_the_audit_shows_what_is_trained(here, spec):
    run = here(spec())
    run.train(stops=True)
    shown = [text for each in run.audit["shown"] for text in each["trained"]]
    assert len(shown) == 5
    assert set(shown) <= {"Q0<|im_end|>", "Q1<|im_end|>", "Q2<|im_end|>"}
    assert run.audit["trained_tokens"] == 24 * 3
    assert run.audit["first_loss"] > 0
    assert any("trains" in each["message"] for each in run.events)


def test_rows_that_are_cut_to_nothing_are_refused_before_the_first_step(here, spec):
    run = here(spec(max_length=20))
    standing = run.train()
    assert (standing.state, standing.failure.code) == (RunState.FAILED, "audit_failed")
    assert "line 1" in standing.failure.message
    assert run.audit["untrained_lines"] == list(range(1, 25))
    assert run.losses == {}
    assert steps_in(run.folder.checkpoints) == {}


def test_a_template_that_never_ends_a_turn_is_refused(here, spec, tmp_path):
    never = tiny_llama(tmp_path / "never", template="{% for m in messages %}{{ m['content'] }}\n{% endfor %}")
    standing = here(spec().model_copy(update={"model": str(never)})).train()
    assert standing.failure.code == "audit_failed"
    assert "never stop" in standing.failure.message


def test_an_altered_file_is_refused(here, spec):
    run = spec()
    run.train.path.write_text(run.train.path.read_text().replace("Q1", "Q2", 1))
    assert here(run).train().failure.code == "digest_mismatch"


def test_a_loss_that_is_no_number_has_diverged_and_is_nowhere_in_the_events(here, spec):
    run = here(spec(learning_rate=1e30, max_grad_norm=1e30, schedule="constant", warmup_ratio=0.0))
    standing = run.train()
    assert (standing.state, standing.failure.code) == (RunState.FAILED, "diverged")
    assert "NaN" not in run.folder.events.read_text()
    assert "Infinity" not in run.folder.events.read_text()
    assert run.folder.result() is None


def test_a_full_disk_leaves_the_last_checkpoint_whole(here, spec):
    run = here(spec(rank=16))
    run.train(stops=True)
    with limited(resource.RLIMIT_FSIZE, 40_000):
        standing = run.train()
    assert (standing.state, standing.failure.code) == (RunState.FAILED, "storage_full")
    kept = steps_in(run.folder.checkpoints)
    assert list(kept) == [1]
    assert verified(kept[1], to_go_on=True).step == 1
    assert list(run.folder.checkpoints.glob(".*")) == []


def test_short_of_memory_it_tries_once_with_half_the_micro_batch_and_says_what_helps(here, spec, tmp_path):
    wordy = tiny_llama(tmp_path / "wordy", vocabulary=60_000)
    run = spec(rows=long_rows(32), validation=False, batch_size=32, micro_batch_size=32, epochs=1)
    run = here(run.model_copy(update={"model": str(wordy)}))
    # Logits of half the rows alone: 16 rows of 100 tokens and 60,000 words in 4 bytes.
    with limited(resource.RLIMIT_AS, held_bytes() + 16 * 100 * 60_000 * 4):
        standing = run.train()
    assert (standing.state, standing.failure.code) == (RunState.FAILED, "out_of_memory")
    assert "micro_batch_size" in standing.failure.remedy
    assert json.loads((run.path / "smaller.json").read_text()) == {"micro_batch_size": 16}
    assert [each["level"] for each in run.events if each["id"].startswith("smaller")] == ["warning"]


def held_bytes():
    """Address space of this process."""
    with open("/proc/self/statm") as told:  # noqa: PTH123 (no path of a project)
        return int(told.read().split()[0]) * resource.getpagesize()


def test_a_damaged_checkpoint_is_left_out_and_the_one_before_is_taken(here, spec):
    whole, damaged = here(spec(), "whole"), here(spec(), "damaged")
    whole.train()
    for _ in range(3):
        damaged.train(stops=True)
    newest = steps_in(damaged.folder.checkpoints)[3] / "trainer.safetensors"
    content = bytearray(newest.read_bytes())
    content[-1] ^= 1
    newest.write_bytes(content)
    assert damaged.train().state is RunState.SUCCEEDED
    assert damaged.losses == whole.losses
    assert any("trainer.safetensors" in each["message"] for each in damaged.events if each["level"] == "warning")


def test_a_checkpoint_of_another_run_is_not_taken_for_ours(here, spec):
    other, ours = here(spec(seed=1), "other"), here(spec(seed=2), "ours")
    other.train(stops=True)
    ours.path.mkdir(parents=True)
    shutil.copytree(other.folder.checkpoints, ours.folder.checkpoints)
    ours.train(stops=True)
    assert ours.folder.standing().step == 1
    assert any("another run" in each["message"] for each in ours.events)


def test_the_best_and_the_newest_checkpoints_are_kept(here, spec):
    run = here(spec(epochs=4, checkpoints=8), keep=2)
    run.train()
    losses = {step: valid for step, (_, valid) in run.losses.items() if step and step % 2 == 0}
    assert set(steps_in(run.folder.checkpoints)) == {min(losses, key=losses.get), 14, 16}
    resumable = [step for step, path in steps_in(run.folder.checkpoints).items() if verified(path).resumable]
    assert resumable == [14, 16]


def test_it_stops_when_validation_no_longer_falls_and_leaves_the_best(here, spec):
    run = here(spec(epochs=12, evaluations=12, early_stopping=2, learning_rate=0.05, schedule="constant", dropout=0.3))
    standing = run.train()
    evaluated = {step: valid for step, (_, valid) in run.losses.items() if step and valid is not None}
    best = min(evaluated, key=evaluated.get)
    assert standing.state is RunState.SUCCEEDED
    assert standing.step < 48
    assert verified(run.path / "adapter").step == best
    assert weights_of(run) == verified(run.folder.checkpoints / f"step-{best}").weights_sha256


def test_half_a_line_that_a_death_left_is_cut_off(here, spec):
    run = here(spec())
    run.train(stops=True)
    with run.folder.events.open("a") as file:
        file.write('{"id": "step-2", "me')
    run.train()
    assert sorted(run.losses) == list(range(9))


@pytest.mark.parametrize(("schedule", "rates"), [
    ("constant", [0.5, 1, 1, 1, 1]), ("linear", [0.5, 1, 1, 2 / 3, 1 / 3]), ("cosine", [0.5, 1, 1, 0.75, 0.25]),
])  # fmt: skip
def test_learning_rates_by_hand(schedule, rates):
    given = Hyperparameters(learning_rate=1.0, max_steps=5, warmup_ratio=0.4, schedule=schedule)
    knobs = settled(given, rows=16, validated=False, context=100, accelerated=False)
    assert [learning_rate(knobs, step) for step in range(1, 6)] == pytest.approx(rates)


def test_over_a_base_in_four_bits_it_learns_too(here, spec):
    pytest.importorskip("bitsandbytes")
    run = here(spec(adapter="qlora", epochs=4))
    standing = run.train()
    assert (standing.state, standing.failure) == (RunState.SUCCEEDED, None)
    assert run.losses[16][1] < run.losses[0][1]
    assert admitted(run.path / "adapter").kind == "adapter"
    weights = load_file(run.path / "adapter" / "adapter_model.safetensors")
    assert all(weights[name].any() for name in weights if "lora_B" in name)

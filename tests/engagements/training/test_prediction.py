"""What a run will take: hand-computed, and what is unknown with its reason."""

import json
import sys
from datetime import date
from decimal import Decimal

import pytest
from tokenizers import Tokenizer, models

from backends.peft_local.backend import PeftBackend
from backends.peft_local.models import Shelf
from backends.spec import DataFile, Hyperparameters, TrainingSpec
from engagements.phases.training.plans.counting_apart import count_apart
from engagements.phases.training.plans.data_tokens import DataTokens, at_its_folder, count_tokens
from engagements.phases.training.plans.prediction import Cost, predict
from estimator.errors import DatasetUnreadable
from estimator.prices import PriceBook

TODAY = date(2026, 11, 22)
COUNTED = DataTokens(per_epoch=100_000, examples=400, longest=500, validation=10_000, counted_in="o200k_base")


@pytest.fixture(scope="module")
def book():
    return PriceBook.load()


@pytest.fixture
def spec(tmp_path):
    line = json.dumps({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]})
    (tmp_path / "rows.jsonl").write_text(f"{line}\n" * 12, "utf-8")
    rows = DataFile.of(tmp_path / "rows.jsonl")

    def made(model="gpt-4o-mini-2024-07-18", *, validation=True, **knobs):
        return TrainingSpec(
            run_id="r", backend="x", model=model, train=rows, validation=rows if validation else None,
            hyperparameters=Hyperparameters(**knobs),
        )  # fmt: skip

    return made


def test_a_provider_bills_tokens_times_epochs_and_no_validation(spec, book):
    found = predict(spec(epochs=2, batch_size=8), today=TODAY, book=book, tokens=COUNTED, provider="openai")
    assert (found.tokens, found.epochs, found.steps) == (200_000, 2, 100)
    assert found.cost == Cost(low=Decimal("0.6"), likely=Decimal("0.6"), high=Decimal("0.6"), currency="USD")
    assert found.sources["cost"].startswith("3 USD per 1M tokens: OpenAI pricing page")
    assert found.unknown.keys() == {"hours", "memory_gib", "fits"}


def test_openais_automatic_epochs_are_known_and_others_are_not(spec, book):
    ours = predict(spec(), today=TODAY, book=book, tokens=COUNTED, provider="openai")
    assert (ours.epochs, ours.tokens, ours.steps) == (3, 300_000, None)
    other = predict(spec("Qwen/Qwen3-8B"), today=TODAY, book=book, tokens=COUNTED, provider="together")
    assert (other.epochs, other.tokens, other.cost) == (None, None, None)
    assert (
        other.unknown["cost"]
        == other.unknown["epochs"]
        == "the provider chooses the epochs, by a rule it does not publish"
    )


def test_a_model_without_a_price_has_an_unknown_cost(spec, book):
    found = predict(spec("nobody/x", epochs=1), today=TODAY, book=book, tokens=COUNTED, provider="openai")
    assert (found.tokens, found.cost) == (100_000, None)
    assert found.unknown["cost"] == "the price book has no price of openai for nobody/x"


def test_on_a_gpu_time_memory_and_money_come_from_the_estimator(spec, book):
    found = predict(spec("llama-3.1-8b", epochs=1), today=TODAY, book=book, tokens=COUNTED, gpu="H100")
    assert found.fits
    assert found.memory_gib > 15
    assert found.hours.low < found.hours.likely < found.hours.high
    assert found.cost.likely / Decimal(str(found.hours.likely)) == pytest.approx(
        found.cost.high / Decimal(str(found.hours.high))
    )
    assert not found.unknown


def test_a_model_that_does_not_fit_is_said_not_to(spec, book):
    full = spec("llama-3.1-70b", adapter="full")
    assert predict(full, today=TODAY, book=book, tokens=COUNTED, gpu="4090").fits is False


@pytest.mark.parametrize(
    ("model", "gpu", "why"),
    [("llama-3.1-8b", None, "no GPU is named"), ("nobody/x", "H100", "the architecture of nobody/x is not known")],
)
def test_what_nobody_knows_is_unknown_and_never_0(spec, book, model, gpu, why):
    found = predict(spec(model), today=TODAY, book=book, tokens=COUNTED, gpu=gpu)
    assert (found.hours, found.memory_gib, found.fits, found.cost) == (None, None, None, None)
    assert found.unknown.keys() == {"hours", "memory_gib", "fits", "cost"}
    assert all(said.startswith(why) for said in found.unknown.values())
    assert (found.tokens, found.epochs, found.steps) == (300_000, 3, 3)


def test_steps_that_end_early_train_on_fewer_tokens(spec, book):
    found = predict(spec(epochs=2, batch_size=4, max_steps=3), today=TODAY, book=book, tokens=COUNTED)
    assert (found.steps, found.tokens) == (3, 100_000)


def test_the_files_are_counted_as_the_model_will(spec):
    found = count_tokens(spec())
    assert (found.examples, found.counted_in, found.note) == (12, "o200k_base", "")
    assert found.per_epoch == found.validation == 12 * found.longest


def test_another_tokeniser_than_the_models_is_said(spec):
    found = count_tokens(spec("nobody/x", validation=False))
    assert found.note == "the tokeniser of nobody/x is not at hand: counted in o200k_base, an estimate"
    assert found.validation is None


def test_counted_in_a_process_of_its_own_it_is_the_same(spec):
    assert count_apart(spec()) == count_tokens(spec())


def test_a_file_that_cannot_be_read_is_refused_from_there_as_here(spec):
    broken = spec()
    broken.train.path.unlink()
    with pytest.raises(DatasetUnreadable) as here:
        count_tokens(broken)
    with pytest.raises(DatasetUnreadable) as there:
        count_apart(broken)
    assert there.value.problems == here.value.problems


def test_a_count_that_comes_to_nothing_is_unknown_and_says_so(spec, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    found = count_apart(spec())
    assert (found.per_epoch, found.counted_in) == (None, "")
    assert found.note == "counting ended with 1; it is tried again with the next look"


def test_a_model_that_a_backend_has_under_a_name_is_counted_by_its_own_tokeniser(spec, book, tmp_path):
    words = Tokenizer(models.WordLevel({"[UNK]": 0, "Hi": 1}, unk_token="[UNK]"))
    (tmp_path / "small").mkdir()
    words.save(str(tmp_path / "small" / "tokenizer.json"))
    backend = PeftBackend(folder=tmp_path / "runs", shelf=Shelf(allowed={"ours": tmp_path / "small"}))
    named = spec("ours")
    found = count_tokens(at_its_folder(named, backend))
    assert (found.counted_in, found.per_epoch) == ("small", 12 * 2)
    assert at_its_folder(spec("another"), backend) == spec("another")
    assert count_tokens(named).counted_in == "o200k_base"

import csv
import re
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from estimator.errors import PriceBookInvalid, UnknownName
from estimator.prices import (
    GpuOffer,
    InferencePrice,
    Objective,
    PriceBook,
    ServedBy,
    TrainingPrice,
    Tuning,
    ValidationBilling,
    earliest_day,
    read_book,
)
from estimator.prices.genai import base_inference_price

BOOK = PriceBook.load()
TODAY = date(2026, 11, 22)

PROVIDERS = {
    "Together": "together", "Fireworks": "fireworks", "Ori": "ori", "Thinking Machines Tinker": "tinker",
    "Prime Intellect hosted training": "prime-intellect", "Google Vertex AI": "vertex", "Mistral": "mistral",
    "Azure OpenAI": "azure", "AWS Bedrock": "bedrock",
}  # fmt: skip
NAMES = {
    "0-16B": "up to 16B", "300.1-upB": "over 300B", "<=10B": "up to 10B", "classifier fine-tune": "classifier",
    "gpt-4o-2024-08-06 regional": "gpt-4o-2024-08-06",
}  # fmt: skip
METHODS = {
    "sft-lora": ("sft", "lora"), "sft-full": ("sft", "full"), "dpo-lora": ("dpo", "lora"), "dpo-full": ("dpo", "full"),
    "lora": ("sft", "lora"), "rl/lora": ("rft sft", "lora"), "sft": ("sft", "hosted"),
}  # fmt: skip
BILLED = {
    "yes": {ValidationBilling.PER_EVALUATION, ValidationBilling.ONE_PASS}, "no": {ValidationBilling.NOT_BILLED},
    "": {ValidationBilling.UNKNOWN},
}  # fmt: skip
UNITS = {"1M tokens": "1M tokens", "hour of core training loop": "hour of training"}

OWN_PRICES = """
provider = "together"
checked = 2026-11-22

[[training]]
model = "up to 16B"
params_b_min = "0"
params_b_max = "16"
objectives = ["sft"]
tuning = "lora"
usd = "0.40"
as_of = "2026-11-20"
source = "our contract"
"""


def price(provider: str, model: str, size: str | None = None, **job: object) -> TrainingPrice | None:
    return BOOK.training(
        provider=provider,
        model=model,
        objective=Objective(str(job.get("objective", "sft"))),
        tuning=Tuning(str(job.get("tuning", "lora"))),
        params_b=Decimal(size) if size else None,
    )


def rows_of(shared_data: Path, name: str) -> list[dict[str, str]]:
    with (shared_data / "economics" / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def usd(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def first_number(text: str) -> Decimal | None:
    """The amount that a cell with a remark begins with."""
    return Decimal(text.split(maxsplit=1)[0]) if text else None


@pytest.mark.shared_data
def test_every_published_training_price_is_in_the_book_under_its_model_method_and_unit(shared_data: Path) -> None:
    """And no other: 60 rows, by provider, model or band, method, price, validation and minimum charge."""
    published = rows_of(shared_data, "provider_finetune_prices.csv")
    assert {row["unit"] for row in published} == {
        "1M tokens processed",
        "1M training tokens",
        "1M train tokens",
        "1M tokens",
    }
    theirs = Counter(
        (
            PROVIDERS[row["provider"]],
            NAMES.get(row["model_or_band"], row["model_or_band"]),
            METHODS[row["method"]] if row["provider"] != "Mistral" else ("classification", "hosted"),
            Decimal(row["usd"]),
        )
        for row in published
    )
    ours = Counter(
        (row.provider, row.model, (" ".join(row.objectives), str(row.tuning)), row.usd)
        for row in BOOK.table(TrainingPrice)
        if row.provider != "openai" and row.usd is not None
    )
    assert ours == theirs
    assert {row.unit for row in BOOK.table(TrainingPrice) if row.provider != "openai"} == {"1M tokens"}


@pytest.mark.shared_data
def test_bands_validation_and_minimum_are_those_published(shared_data: Path) -> None:
    bands = {
        (row.provider, row.model): (row.params_b_min, row.params_b_max)
        for row in BOOK.table(TrainingPrice)
        if row.is_band
    }
    for row in rows_of(shared_data, "provider_finetune_prices.csv"):
        provider, model = PROVIDERS[row["provider"]], NAMES.get(row["model_or_band"], row["model_or_band"])
        if (provider, model) in bands:
            assert bands[provider, model] == (usd(row["params_b_min"]), usd(row["params_b_max"]))
        billed = BOOK.terms_of(provider).validation
        assert billed in BILLED[row["validation_billed"].partition(" ")[0]], provider
        minimum = first_number(row["min_charge_usd"])
        ours = next(own for own in BOOK.table(TrainingPrice) if (own.provider, own.model) == (provider, model))
        if "verify" in row["min_charge_usd"]:
            assert f"${minimum} minimum: verify" in ours.min_charge_note
        else:
            assert ours.min_charge_usd == minimum, (provider, model)


@pytest.mark.shared_data
def test_every_openai_row_is_in_the_book_with_its_sunset(shared_data: Path) -> None:
    published = rows_of(shared_data, "openai_finetune_prices.csv")
    ours = {row.model: row for row in BOOK.table(TrainingPrice) if row.provider == "openai"}
    assert set(ours) == {row["base_model_id"] for row in published}
    for row in published:
        own, unit = ours[row["base_model_id"]], row["training_unit"]
        assert (own.usd, own.unit) == (Decimal(row["training_usd"]), UNITS[unit])
        assert str(own.shutdown) == row["model_shutdown_date"]
        assert str(own.new_jobs_until) == row["new_jobs_until"]
        assert str(own.max_example_tokens or "") == row["max_train_example_tokens"]
        assert own.as_of == row["price_as_of"]


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("variant", "columns"),
    [
        ("base", {"input": "base_input", "cached_input": "base_cached", "output": "base_output"}),
        (
            "tuned",
            {
                "input": "ft_input", "cached_input": "ft_cached_input", "output": "ft_output",
                "batch_input": "ft_batch_input", "batch_cached_input": "ft_batch_cached_input",
                "batch_output": "ft_batch_output",
            },
        ),
        (
            "tuned-data-sharing",
            {"input": "data_sharing_input", "cached_input": "data_sharing_cached", "output": "data_sharing_output"},
        ),
    ],
)  # fmt: skip
def test_every_openai_inference_rate_is_in_the_book(shared_data: Path, variant: str, columns: dict[str, str]) -> None:
    for row in rows_of(shared_data, "openai_finetune_prices.csv"):
        published = {rate: usd(row[column]) for rate, column in columns.items()}
        own = BOOK.inference(provider="openai", model=row["base_model_id"], variant=variant)
        if own is None:
            assert set(published.values()) == {None}
        else:
            assert {rate: getattr(own, rate) for rate in columns} == published
            assert str(own.shutdown) == row["model_shutdown_date"]


@pytest.mark.shared_data
def test_every_tinker_sampling_rate_is_in_the_book(shared_data: Path) -> None:
    form = re.compile(r"prefill \$([\d.]+) sample \$([\d.]+) per 1M; .*cached prefill -80%")
    served = {
        row["model_or_band"]: form.search(row["serving"])
        for row in rows_of(shared_data, "provider_finetune_prices.csv")
        if "Tinker" in row["provider"] and row["serving"]
    }
    assert len(served) == 10
    for model, rates in served.items():
        own = BOOK.inference(provider="tinker", model=model, variant="tuned")
        assert rates is not None
        assert own is not None
        prefill, sample = map(Decimal, rates.groups())
        assert (own.input, own.cached_input, own.output) == (prefill, prefill / 5, sample)


@pytest.mark.shared_data
def test_every_gpu_offer_is_in_the_book_and_no_other(shared_data: Path) -> None:
    published = {
        (row["gpu"], row["provider"], row["instance"], row["region"]): (
            int(row["gpus"]), int(row["vram_gb"]), usd(row["on_demand_usd_per_gpu_h"]), usd(row["spot_usd_per_gpu_h"]),
            row["as_of"],
        )
        for row in rows_of(shared_data, "gpu_prices.csv")
    }  # fmt: skip
    ours = {
        (offer.gpu, offer.provider, offer.instance, offer.region): (
            offer.gpus, offer.vram_gb, offer.on_demand_usd_per_h, offer.spot_usd_per_h, offer.as_of,
        )
        for offer in BOOK.table(GpuOffer)
    }  # fmt: skip
    assert len(published) == 56
    assert ours == published


def test_every_row_has_a_source_a_date_and_the_day_it_was_checked() -> None:
    for row in BOOK:
        assert row.source
        assert earliest_day(row.as_of) <= row.checked <= TODAY


def test_a_model_is_found_by_its_own_row_before_its_band() -> None:
    own, band = price("together", "gpt-oss-120b", "117"), price("together", "llama-3.1-8b", "8")
    assert own is not None
    assert (own.model, own.usd) == ("gpt-oss-120B", Decimal(5))
    assert band is not None
    assert (band.model, band.usd) == ("up to 16B", Decimal("0.48"))


def test_a_size_between_two_bands_pays_the_larger_one() -> None:
    between = price("together", "some-16.5b", "16.5")
    assert between is not None
    assert between.model == "17-69B"


def test_names_match_without_case_organisation_or_instruct() -> None:
    for name in ("Qwen/Qwen3-8B", "qwen3-8b", "Qwen3-8B-Instruct"):
        row = price("tinker", name)
        assert row is not None
        assert row.usd == Decimal("0.4")


def test_the_method_decides_the_price() -> None:
    full, preference = price("fireworks", "x", "8", tuning="full"), price("fireworks", "x", "8", objective="dpo")
    assert full is not None
    assert preference is not None
    assert (full.usd, preference.usd) == (Decimal(1), Decimal(1))


def test_what_nobody_publishes_is_unknown_and_never_zero() -> None:
    row = price("mistral", "ministral-8b")
    assert row is not None
    assert row.usd is None
    assert price("mistral", "no-such-model") is None


def test_an_unknown_provider_says_what_to_add() -> None:
    with pytest.raises(UnknownName, match="did you mean together"):
        BOOK.terms_of("togehter")


def test_prices_older_than_ninety_days_are_stale() -> None:
    row = price("fireworks", "x", "8")
    assert row is not None
    fresh_until = date(2026, 10, 8) + timedelta(days=90)
    assert not row.is_stale(fresh_until)
    assert row.is_stale(fresh_until + timedelta(days=1))


def test_a_price_dated_by_year_alone_may_be_as_old_as_its_first_day() -> None:
    assert earliest_day("2026") == date(2026, 1, 1)
    assert earliest_day("2026-10") == date(2026, 10, 1)
    row = price("together", "x", "8")
    assert row is not None
    assert row.age_days(TODAY) == 325


def test_billing_terms_differ_by_provider() -> None:
    assert BOOK.terms_of("openai").validation is ValidationBilling.NOT_BILLED
    assert BOOK.terms_of("together").validation is ValidationBilling.PER_EVALUATION
    assert BOOK.terms_of("together").unpacked == "rows-x-max-length"
    assert BOOK.terms_of("ori").validation is ValidationBilling.ONE_PASS
    assert BOOK.terms_of("azure").hosting_usd_per_hour == Decimal("1.70")
    azure = price("azure", "gpt-4o")
    assert azure is not None
    assert azure.serving is ServedBy.HOSTED


def test_an_agency_s_own_file_replaces_a_row_and_leaves_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "contract.toml"
    file.write_text(OWN_PRICES, "utf-8")
    book = PriceBook.load(file)
    row = book.training(
        provider="together", model="x", objective=Objective.SFT, tuning=Tuning.LORA, params_b=Decimal(8)
    )
    assert row is not None
    assert (row.usd, row.source) == (Decimal("0.40"), "our contract")
    assert len(list(book)) == len(list(BOOK))
    assert book.digest != BOOK.digest
    assert book.terms_of("together") == BOOK.terms_of("together")


def test_everything_wrong_with_a_price_file_is_said_at_once() -> None:
    broken = """
    provider = "acme"
    checked = 2026-11-22
    offers = []
    training = [
        { model = "a", objectives = ["sft"], tuning = "lora", usd = 0.5, as_of = "2026-11-20", source = "x" },
        { model = "b", objectives = ["sft"], tuning = "lora", usd = "1e3", as_of = "soon", source = "x" },
        { model = "c", objectives = [], tuning = "telepathy", usd = "1", as_of = "2026-02-30", source = "x" },
    ]
    """
    with pytest.raises(PriceBookInvalid) as refusal:
        read_book({"acme.toml": broken, "other.toml": "= nonsense"})
    told = [f"{problem.where} {problem.message}" for problem in refusal.value.problems]
    for expected in ("'offers'", "training[1] usd", "training[2] usd", "training[2] as_of", "training[3] tuning"):
        assert any(expected in text for text in told), expected
    assert any("training[3] as_of" in text for text in told)
    assert any(text.startswith("other.toml") for text in told)


def test_a_role_is_one_lower_case_word() -> None:
    rate = '[[rate]]\nrole = "Legal Counsel"\nlabel = "x"\ncost_per_h = "90"\nas_of = "2026-11-20"\nsource = "x"\n'
    with pytest.raises(PriceBookInvalid, match="role: String should match pattern"):
        read_book({"rates.toml": f'checked = 2026-11-20\ncurrency = "USD"\n{rate}'})


def test_a_price_file_nested_beyond_reason_is_refused() -> None:
    for text in ("a = " + "[" * 5_000 + "]" * 5_000, f"a = {'9' * 5_000}"):
        with pytest.raises(PriceBookInvalid) as refusal:
            read_book({"deep.toml": text})
        assert [problem.where for problem in refusal.value.problems] == ["deep.toml"]


def test_a_file_without_an_end_is_refused_after_four_megabytes() -> None:
    with pytest.raises(PriceBookInvalid, match="has more than 4,000,000 bytes"):
        PriceBook.load(Path("/dev/zero"))


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(PriceBookInvalid, match="no-such-file"):
        PriceBook.load(Path("no-such-file.toml"))


def test_base_inference_prices_come_from_genai_prices_without_the_network() -> None:
    row = base_inference_price("openai", "gpt-5-mini", TODAY)
    assert isinstance(row, InferencePrice)
    assert (row.input, row.cached_input, row.output) == (Decimal("0.25"), Decimal("0.025"), Decimal(2))
    assert row.source.startswith("genai-prices ")
    assert base_inference_price("openai", "no-such-model-at-all", TODAY) is None


def test_the_installed_genai_prices_is_one_whose_date_we_know() -> None:
    assert base_inference_price("openai", "gpt-4o-mini", TODAY) is not None


def test_an_own_price_stands_before_a_packaged_row_that_has_none(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(
        '[[training]]\nprovider = "vertex"\nmodel = "gemini-3.5-flash"\nobjectives = ["sft"]\ntuning = "lora"\n'
        'unit = "1M tokens"\nusd = "8.00"\nas_of = "2026-11-20"\nchecked = "2026-11-22"\nsource = "our contract"\n'
        'confidence = "vendor"\n'
    )
    job = {"provider": "vertex", "model": "gemini-3.5-flash", "objective": Objective.SFT, "tuning": Tuning.LORA}
    before, after = BOOK.training(**job), PriceBook.load(file).training(**job)
    assert before is not None
    assert before.usd is None
    assert after is not None
    assert after.usd == 8


def test_every_file_that_cannot_be_read_is_named_with_what_is_wrong_in_the_others(tmp_path: Path) -> None:
    row = tmp_path / "row.toml"
    row.write_text('[[training]]\nprovider = "vertex"\nmodell = "gemini"\n')
    with pytest.raises(PriceBookInvalid) as refusal:
        PriceBook.load(tmp_path / "a.toml", row, tmp_path / "b.toml")
    said = {(problem.where.removeprefix(f"{tmp_path}/"), problem.message) for problem in refusal.value.problems}
    assert {"a.toml", "b.toml"} < {where for where, _ in said}
    assert ("row.toml: training[1]", "tuning is needed and missing") in said
    assert ("row.toml: training[1]", "nothing in a row is called 'modell'") in said
    assert "did you mean model?" in str(refusal.value)

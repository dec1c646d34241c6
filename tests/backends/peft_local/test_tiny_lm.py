"""A small model that really learns: eight intents of Banking77, against a reference implementation's published runs."""

import csv
import json

import pytest
import torch
from peft import PeftModel
from running_here import Here
from torch.nn import functional
from transformers import AutoModelForCausalLM, AutoTokenizer

from backends.events import RunState
from backends.peft_local.rows import row_of
from backends.peft_local.worker.batches import batch_of, logits_where_trained
from backends.peft_local.worker.encoding import Encoder
from backends.peft_local.worker.model import Loaded
from backends.spec import Batching, DataFile, Hyperparameters, TrainingSpec

pytestmark = [
    pytest.mark.shared_data,
    pytest.mark.filterwarnings(
        "ignore:.is_gradient_checkpointing. is deprecated:FutureWarning", "ignore:fan_in_fan_out is set:UserWarning"
    ),
]

INTENTS = (
    "card_arrival", "lost_or_stolen_card", "exchange_rate", "top_up_failed", "cash_withdrawal_charge", "age_limit",
    "change_pin", "terminate_account",
)  # fmt: skip
# As the reference runs were made.
SETTINGS = Hyperparameters(
    rank=8, alpha=16, dropout=0.0, learning_rate=5e-3, weight_decay=0.0, warmup_ratio=20 / 300, max_steps=300,
    batch_size=16, micro_batch_size=16, max_grad_norm=1.0, schedule="linear", precision="fp32", evaluations=1,
    checkpoints=1,
)  # fmt: skip


def conversation(text, label):
    asked = " ".join(text.split())[:160]
    return {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": label}]}


def questions(file):
    with file.open(encoding="utf-8", newline="") as content:
        return [(row["text"], row["category"]) for row in csv.DictReader(content) if row["category"] in INTENTS]


@pytest.fixture
def banking(shared_data, tmp_path):
    def made(**told):
        files = {}
        for name in ("train", "test"):
            rows = [conversation(*each) for each in questions(shared_data / "sets" / "01_banking77" / f"{name}.csv")]
            (tmp_path / f"{name}.jsonl").write_bytes(b"".join(json_line(row) for row in rows))
            files[name] = DataFile.of(tmp_path / f"{name}.jsonl")
        assert (files["train"].rows, files["test"].rows) == (1009, 320)
        return Here(tmp_path / "run", TrainingSpec(
            run_id="run", backend="peft", model=str(shared_data / "sets" / "35_tiny_lm" / "model"), seed=1,
            train=files["train"], validation=files["test"], hyperparameters=SETTINGS.model_copy(update=told),
        ))  # fmt: skip

    return made


def json_line(row):
    return json.dumps(row).encode() + b"\n"


def test_before_the_first_step_it_loses_what_the_base_does(banking):
    run = banking()
    run.train(stops=True)
    assert run.losses[0][1] == pytest.approx(3.6171, abs=1e-4)
    environment = run.folder.standing().environment
    assert environment["trained_weights"] == "65536"
    assert environment["all_weights"] == "924928"
    assert environment["batching"] == "packed"


@pytest.mark.slow
@pytest.mark.parametrize("batching", list(Batching))
def test_it_learns_as_much_as_the_reference(banking, shared_data, batching):
    run = banking(batching=batching)
    assert run.train().state is RunState.SUCCEEDED
    assert 0.15 <= run.losses[300][1] <= 0.25
    assert accuracy(run, shared_data) >= 0.88


def accuracy(run, shared_data):
    """Of the likeliest of the eight labels."""
    folder = shared_data / "sets" / "35_tiny_lm" / "model"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    network = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(folder), run.path / "adapter").eval()
    loaded = Loaded(network=network, tokenizer=tokenizer, device=torch.device("cpu"), computed_in=torch.float32)
    encoder = Encoder(tokenizer, max_length=256)
    asked = questions(shared_data / "sets" / "01_banking77" / "test.csv")
    hits = 0
    for text, label in asked:
        rows = [row_of(1, json_line(conversation(text, each))) for each in INTENTS]
        batch = batch_of(encoder.examples(rows), packed=False, padding=0, device=loaded.device)
        with torch.no_grad():
            costs = functional.cross_entropy(logits_where_trained(loaded, batch), batch.targets, reduction="none")
        sizes = [each.trained for each in encoder.examples(rows)]
        likeliest = min(range(8), key=lambda place: float(costs.split(sizes)[place].sum()))
        hits += INTENTS[likeliest] == label
    return hits / len(asked)

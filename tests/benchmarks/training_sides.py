"""One side of the training benchmark, in a process of its own: `training_sides.py SIDE PLAN`; a line of JSON comes out.

Both sides get the same tokens with the same labels in the same order, rank, rate, precision, batch, and one thread.
Both are timed from the end of their first step to the end of their last.
"""

# ruff: noqa: PLC0415 (a side must not pay for what only the other one imports)

import json
import os
import resource
import sys
import time
from datetime import datetime
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
import torch

torch.set_num_threads(1)


def ours(plan):
    from backends.peft_local.folder import RunFolder
    from backends.peft_local.worker.life import Life
    from backends.peft_local.worker.ranks import Ranks
    from backends.peft_local.worker.running import Options, run
    from backends.peft_local.worker.telling import Teller
    from backends.spec import TrainingSpec

    folder = RunFolder(path=Path(plan["folder"]))
    spec = TrainingSpec.model_validate_json((folder.path / "spec.json").read_text())
    options = Options(model=Path(spec.model), device="cpu", retries=False, keep=1, save_every_s=1e9)
    run(folder, spec, options, Life(folder=folder), Teller.opened(folder), Ranks())
    told = [json.loads(line) for line in folder.events.read_text().splitlines()]
    steps = [each for each in told if each["metrics"]]
    first, last = (datetime.fromisoformat(steps[place]["at"]) for place in (0, -1))
    losses = [each["metrics"]["train_loss"] for each in steps]
    return (last - first).total_seconds(), losses, folder.standing().environment["batching"]


def theirs(plan):
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    ends = []

    class Clock(TrainerCallback):
        def on_step_end(self, *_args, **_more):
            ends.append(time.perf_counter())

    knobs = plan["knobs"]
    config = SFTConfig(
        output_dir=plan["folder"], per_device_train_batch_size=knobs["batch_size"], max_steps=len(plan["step_tokens"]),
        learning_rate=knobs["learning_rate"], lr_scheduler_type="constant", warmup_steps=0, weight_decay=0.0,
        max_grad_norm=1.0, use_cpu=True, bf16=False, gradient_checkpointing=False, report_to="none", seed=1,
        save_strategy="no", logging_steps=1, disable_tqdm=True, max_length=None, packing=False,
        completion_only_loss=True, train_sampling_strategy="sequential", dataloader_pin_memory=False,
    )  # fmt: skip
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(plan["model"], dtype=torch.float32),
        processing_class=AutoTokenizer.from_pretrained(plan["model"]), args=config,
        train_dataset=Dataset.from_list(plan["rows"]),
        peft_config=LoraConfig(
            r=knobs["rank"], lora_alpha=knobs["alpha"], lora_dropout=0.0, target_modules="all-linear",
            task_type="CAUSAL_LM",
        ),
        callbacks=[Clock()],
    )  # fmt: skip
    trainer.train()
    return ends[-1] - ends[0], [each["loss"] for each in trainer.state.log_history if "loss" in each], "padded"


if __name__ == "__main__":
    side = {"ours": ours, "trl": theirs}[sys.argv[1]]
    told = json.loads(Path(sys.argv[2]).read_text())
    took, losses, batching = side(told)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": took, "losses": losses, "peak_bytes": peak, "batching": batching}))  # noqa: T201

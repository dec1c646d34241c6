"""What a run left, made ready for other servers: whole or not there, the weights compared before, one base for many."""

import fcntl
import json
import os
import resource
import shutil
import sys

import pytest
import torch
from peft import PeftModel
from running_here import Here
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from backends.errors import CheckpointInvalid, NotOffered, RunLost
from backends.peft_local.backend import PeftBackend
from backends.peft_local.exporting import (
    ConverterFailed,
    Exporter,
    ExportFailed,
    Form,
    TargetTaken,
    TargetUnwritable,
    Tuned,
    export,
    needed_bytes,
)
from backends.peft_local.manifests import manifest_in, verified
from backends.peft_local.worker.export import alone, main, whole

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")

EXPORTER = Exporter(command=(sys.executable, "-P", "-m"))
IDS = torch.arange(40).unsqueeze(0)
CONVERTER = """
import json, pathlib, sys
model, _, outfile, _, outtype = sys.argv[1:]
assert sys.argv[2::2] == ["--outfile", "--outtype"]
held = sorted(path.name for path in pathlib.Path(model).iterdir())
pathlib.Path(outfile).write_bytes(b"GGUF" + json.dumps([held, outtype]).encode())
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory, make_spec):
    folder = tmp_path_factory.mktemp("exporting")
    made = Here(folder / "run_1", make_spec(folder, epochs=4, rank=4, targets=("q_proj", "v_proj", "down_proj")))
    made.train()
    return made


@pytest.fixture
def tuned(run, model):
    return Tuned(name="tickets", base=model, base_name=str(model), weights=run.path / "adapter")


@pytest.fixture
def converter(tmp_path):
    def made(script=CONVERTER):
        path = tmp_path / "convert_hf_to_gguf.py"
        path.write_text(script)
        return path

    return made


def logits(network):
    with torch.no_grad():
        return network.eval()(IDS).logits


def test_an_adapter_alone_answers_as_the_runs_does_and_names_no_folder(run, model, tmp_path):
    made = alone(model, run.path / "adapter", tmp_path / "out")
    assert verified(tmp_path / "out") == made
    assert (made.kind, made.weights_sha256) == ("adapter", manifest_in(run.path / "adapter").weights_sha256)
    assert {"adapter_config.json", "adapter_model.safetensors", "tokenizer.json", "README.md"} <= set(made.files)
    assert json.loads((tmp_path / "out" / "adapter_config.json").read_text())["base_model_name_or_path"] is None
    base = AutoModelForCausalLM.from_pretrained(model)
    before = logits(PeftModel.from_pretrained(base, run.path / "adapter"))
    base = AutoModelForCausalLM.from_pretrained(model)
    assert torch.equal(logits(PeftModel.from_pretrained(base, tmp_path / "out")), before)
    assert AutoTokenizer.from_pretrained(tmp_path / "out").chat_template
    named = alone(model, run.path / "adapter", tmp_path / "named", base_name="tiny/llama")
    assert named.weights_sha256 == made.weights_sha256
    assert (
        json.loads((tmp_path / "named" / "adapter_config.json").read_text())["base_model_name_or_path"] == "tiny/llama"
    )


def test_a_fully_tuned_model_is_taken_as_it_is_with_its_tokenizer(make_spec, model, tmp_path):
    full = Here(tmp_path / "full", make_spec(tmp_path, "full", adapter="full", max_steps=2, epochs=None, rank=None))
    full.train()
    made = whole(model, full.path / "model", tmp_path / "out")
    assert (made.kind, made.files["model.safetensors"]) == (
        "model", manifest_in(full.path / "model").files["model.safetensors"],
    )  # fmt: skip
    assert AutoTokenizer.from_pretrained(tmp_path / "out").chat_template
    tuned = Tuned(name="full", base=model, base_name=str(model), weights=full.path / "model")
    assert (tuned.is_adapter, tuned.rank()) == (False, None)


@pytest.mark.slow
def test_several_runs_over_one_base_lie_beside_each_other_for_vllm(run, tuned, tmp_path):
    early = Tuned(
        name="early", base=tuned.base, base_name=tuned.base_name, weights=next(run.folder.checkpoints.iterdir())
    )
    made = export([tuned, early], tmp_path / "out", Form.VLLM, EXPORTER)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["adapters", "vllm.yaml"]
    for each in (tuned, early):
        kept = load_file(tmp_path / "out" / "adapters" / each.name / "adapter_model.safetensors")
        assert all(
            torch.equal(kept[name], value)
            for name, value in load_file(each.weights / "adapter_model.safetensors").items()
        )
        assert made[each.name].kind == "adapter"
    assert (tmp_path / "out" / "vllm.yaml").read_text() == (
        "# In this folder: vllm serve --config vllm.yaml\n"
        f'model: "{tuned.base}"\nenable-lora: true\nmax-lora-rank: 8\nmax-loras: 2\nlora-modules:\n'
        '  - "tickets=adapters/tickets"\n  - "early=adapters/early"\n'
    )


def test_what_vllm_cannot_swap_is_no_adapter_among_others(tuned, tmp_path):
    weights = shutil.copytree(tuned.weights, tmp_path / "adapter")
    assert tuned.rank() == 4
    for told in ({"use_dora": True}, {"modules_to_save": ["lm_head"]}, {"bias": "all"}, {"r": 1024}):
        config = json.loads((tuned.weights / "adapter_config.json").read_text())
        (weights / "adapter_config.json").write_text(json.dumps(config | told))
        odd = Tuned(name="odd", base=tuned.base, base_name=tuned.base_name, weights=weights)
        assert odd.rank() is None
    assert needed_bytes([odd], Form.VLLM) == needed_bytes([tuned], Form.MERGED), "it is merged"
    with pytest.raises(NotOffered, match="one by one"):
        export([tuned, odd], tmp_path / "out", Form.VLLM, EXPORTER)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adapter"]


@pytest.mark.slow
def test_a_gguf_is_made_by_the_converter_of_the_merged_model_and_nothing_else_is_left(tuned, converter, tmp_path):
    made = export([tuned], tmp_path / "out", Form.GGUF, EXPORTER, converter=converter(), outtype="q8_0")["tickets"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["manifest.json", "tickets.gguf"]
    assert verified(tmp_path / "out") == made
    held, outtype = json.loads((tmp_path / "out" / "tickets.gguf").read_bytes()[4:])
    assert {"config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"} <= set(held)
    assert outtype == "q8_0"


@pytest.mark.parametrize(("script", "says"), [
    ("import sys; sys.stderr.write('x' * 9_000 + ' no such architecture'); sys.exit(3)", "ended with 3: .* no such"),
    ("print('cannot import gguf'); raise SystemExit(1)", "ended with 1: cannot import gguf"),
    ("", "ended well and left no GGUF file"),
    ("import sys; open(sys.argv[3], 'wb').write(b'html')", "ended well and left no GGUF file"),
])  # fmt: skip
def test_a_converter_that_makes_no_file_is_told_with_what_it_said(converter, tmp_path, script, says):
    with pytest.raises(ConverterFailed, match=says) as failed:
        EXPORTER.convert(converter(script), tmp_path, tmp_path / "x.gguf", outtype="auto")
    assert len(str(failed.value)) < 2_500


def test_what_is_there_already_is_never_written_over(tuned, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("out", "file", "link"):
        with pytest.raises(TargetTaken, match="is there already"):
            export([tuned], tmp_path / name, Form.ADAPTER, EXPORTER)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link", "out"]


def test_a_place_that_cannot_be_made_and_a_config_that_cannot_be_read_are_said(tuned, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(TargetUnwritable, match="Not a directory"):
        export([tuned], tmp_path / "file" / "out", Form.ADAPTER, EXPORTER)
    weights = shutil.copytree(tuned.weights, tmp_path / "adapter")
    for content in ("", "[]", "{}", '{"r": null}', '{"r": 4, "rank_pattern": []'):
        (weights / "adapter_config.json").write_text(content)
        with pytest.raises(CheckpointInvalid, match="cannot be read"):
            Tuned(name="x", base=tuned.base, base_name=tuned.base_name, weights=weights).rank()


def test_two_exports_do_not_write_to_one_place(tuned, tmp_path):
    staging = tmp_path / ".out.partial"
    staging.mkdir()
    descriptor = os.open(staging, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        with pytest.raises(TargetTaken, match="another export"):
            export([tuned], tmp_path / "out", Form.ADAPTER, EXPORTER)
    finally:
        os.close(descriptor)
    assert not (tmp_path / "out").exists()


def test_a_process_that_ends_by_itself_is_told_with_its_last_words(tuned, tmp_path):
    (tmp_path / ".out.partial" / "merged").mkdir(parents=True)  # as a kill leaves it
    broken = Exporter(command=(sys.executable, "-c", "raise SystemExit('no PyTorch here')"))
    with pytest.raises(ExportFailed, match="tickets: it ended with 1: no PyTorch here"):
        export([tuned], tmp_path / "out", Form.ADAPTER, broken)
    assert list(tmp_path.iterdir()) == []


def test_altered_weights_and_a_full_disk_are_told_by_their_exit_codes_and_leave_nothing(tuned, tmp_path, capsys):
    words = ["merged", str(tuned.base), str(tuned.weights), str(tmp_path / "out")]
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        assert main(words) == 74
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert capsys.readouterr().err.splitlines()[-1] == "no room is left on the device"
    assert list(tmp_path.iterdir()) == []
    words[2] = str(shutil.copytree(tuned.weights, tmp_path / "adapter"))
    (tmp_path / "adapter" / "adapter_config.json").write_text("{}")
    assert main(words) == 65
    assert "adapter_config.json of adapter is not the file that was written" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["adapter"]
    assert main(["adapter", str(tuned.base), str(tuned.base), str(tmp_path / "out")]) == 65


def test_a_run_whose_base_model_was_moved_away_is_not_exported(run, model):
    (run.path / "spec.json").write_text(run.spec.model_dump_json(by_alias=True))
    backend = PeftBackend(folder=run.path.parent)
    assert backend.tuned("run_1", name="tickets").weights == run.path / "adapter"
    (run.path / "spec.json").write_text(run.spec.model_dump_json(by_alias=True).replace(str(model), "/gone/tiny"))
    for name, says in {"run_1": "/gone/tiny", "run_1@9999": "run_1@9999 is not kept", "run_2": "run_2"}.items():
        with pytest.raises(RunLost, match=says):
            backend.tuned(name, name="tickets")
    with pytest.raises(NotOffered, match="nothing to export"):
        backend.tuned(str(model), name="tickets")


def test_a_base_is_named_to_others_only_where_they_can_find_it(tuned, tmp_path):
    for name, public in {
        str(tmp_path): "", "./models/tiny": "", "tiny": "",
        "HuggingFaceTB/SmolLM2-135M-Instruct": "HuggingFaceTB/SmolLM2-135M-Instruct",
    }.items():  # fmt: skip
        assert Tuned(name="x", base=tmp_path, base_name=name, weights=tmp_path).public_base == public

"""What comes out: an adapter that is checked before it is loaded, merges without changing an answer, and exports."""

import json
import shutil

import pytest
import torch
from peft import PeftModel
from running_here import Here
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from backends.errors import CheckpointInvalid
from backends.peft_local.manifests import described, manifest_in, write_manifest
from backends.peft_local.models import base_sha256
from backends.peft_local.worker.answering import Unanswerable, opened
from backends.peft_local.worker.artefact import admitted
from backends.peft_local.worker.export import merged

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")

ASKED = {"max_tokens": 6, "temperature": 0.0}
QUESTION = [{"role": "user", "content": "which queue takes ticket 1?"}]


@pytest.fixture(scope="module")
def run(tmp_path_factory, make_spec):
    folder = tmp_path_factory.mktemp("artefact")
    made = Here(folder / "run_1", make_spec(folder, epochs=8, targets=("q_proj", "v_proj", "down_proj")))
    made.train()
    return made


@pytest.fixture
def adapter(run, tmp_path):
    """A copy, to be damaged."""
    return shutil.copytree(run.path / "adapter", tmp_path / "adapter")


def signed_anew(adapter):
    """As somebody would who can write a manifest too."""
    write_manifest(adapter, manifest_in(adapter).model_copy(update={"files": described(adapter)}))


def test_one_flipped_bit_is_refused(adapter):
    weights = adapter / "adapter_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-3] ^= 1
    weights.write_bytes(content)
    with pytest.raises(CheckpointInvalid, match="not the file that was written"):
        admitted(adapter)


def test_truncated_weights_are_refused_whatever_the_manifest_says(adapter):
    weights = adapter / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(CheckpointInvalid):
        admitted(adapter)
    signed_anew(adapter)
    with pytest.raises(CheckpointInvalid, match="no whole file"):
        admitted(adapter)


def test_weights_that_are_no_numbers_are_refused_whatever_the_manifest_says(adapter):
    weights = adapter / "adapter_model.safetensors"
    tensors = load_file(weights)
    next(iter(tensors.values()))[0, 0] = float("nan")
    save_file(tensors, weights)
    signed_anew(adapter)
    with pytest.raises(CheckpointInvalid, match="numbers that are none"):
        admitted(adapter)


@pytest.mark.parametrize(("told", "says"), [
    ({"auto_map": {"x": "code.X"}}, "auto_map"), ({"_attn_implementation": "evil/kernel"}, "_attn_implementation"),
    ({"target_modules": ".*"}, "no pattern"), ({"target_modules": ["q_proj", ".*_proj"]}, "no pattern"),
])  # fmt: skip
def test_a_config_that_asks_for_more_than_names_is_refused(adapter, told, says):
    config = adapter / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | told))
    signed_anew(adapter)
    with pytest.raises(CheckpointInvalid, match=says):
        admitted(adapter)


def test_pickles_and_folders_without_a_manifest_are_refused(adapter):
    (adapter / "adapter_model.bin").write_bytes(b"")
    with pytest.raises(CheckpointInvalid, match=r"adapter_model\.bin"):
        admitted(adapter)
    (adapter / "manifest.json").unlink()
    with pytest.raises(CheckpointInvalid, match="never finished"):
        admitted(adapter)


def test_the_card_names_base_data_and_template_and_no_folder(run, model):
    card = (run.path / "adapter" / "README.md").read_text()
    for digest in (base_sha256(model), run.spec.train.sha256, run.audit["template_sha256"], run.spec.digest):
        assert digest in card
    config = json.loads((run.path / "adapter" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] is None
    assert config["target_modules"] == ["down_proj", "q_proj", "v_proj"]


def test_merged_it_computes_what_it_did_unmerged(run, model, tmp_path):
    manifest = merged(model, run.path / "adapter", tmp_path / "merged")
    assert set(manifest.files) >= {"config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"}
    assert "auto_map" not in json.loads((tmp_path / "merged" / "config.json").read_text())
    base = AutoModelForCausalLM.from_pretrained(model)
    ids = torch.arange(40).unsqueeze(0)
    with torch.no_grad():
        before = base(ids).logits
        unmerged = PeftModel.from_pretrained(base, run.path / "adapter").eval()(ids).logits
        together = AutoModelForCausalLM.from_pretrained(tmp_path / "merged").eval()(ids).logits
    assert (together - unmerged).abs().max() < 5e-5
    assert (unmerged - before).abs().max() > 1e-2


def test_an_adapter_over_another_base_is_not_merged_and_leaves_nothing(run, tmp_path, model):
    other = shutil.copytree(model, tmp_path / "other")
    tensors = load_file(other / "model.safetensors")
    tensors["lm_head.weight"] += 1
    save_file(tensors, other / "model.safetensors", {"format": "pt"})
    with pytest.raises(CheckpointInvalid, match="another base"):
        merged(other, run.path / "adapter", tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


@pytest.fixture
def answering(model):
    return opened(model, model, torch.device("cpu"))


def answers(answering, weights, *conversations):
    return [
        each["text"] for each in answering.answer(weights and str(weights), ASKED | {"conversations": conversations})
    ]


def test_adapters_are_swapped_and_the_base_stays_what_it_was(run, answering):
    early = run.folder.checkpoints / "step-7"
    base = answers(answering, None, QUESTION)
    tuned = answers(answering, run.path / "adapter", QUESTION)
    assert tuned[0].startswith("Q")
    assert base != tuned
    answers(answering, early, QUESTION)
    assert answers(answering, None, QUESTION) == base
    assert answers(answering, run.path / "adapter", QUESTION) == tuned


def test_answers_come_in_the_order_of_the_questions(run, answering):
    questions = [[{"role": "user", "content": "ticket " + "and " * (n * 7 % 5)}] for n in range(20)]
    together = answers(answering, run.path / "adapter", *questions)
    assert together == [answers(answering, run.path / "adapter", each)[0] for each in questions]


def test_an_adapter_trained_with_another_template_is_refused(run, answering):
    answering.tokenizer.chat_template += "{# another #}"
    with pytest.raises(CheckpointInvalid, match="chat template"):
        answering.load(str(run.path / "adapter"))


def test_a_conversation_that_cannot_be_written_is_refused(answering):
    with pytest.raises(Unanswerable):
        answers(answering, None, [{"role": "user", "content": [{"type": "image_url"}]}])

"""`sixfold runs export`: what a run left, made ready for other servers.

--as adapter   the chosen adapter with its tokenizer and chat template (PEFT; servers that swap adapters)
--as merged    a whole model: safetensors, configuration, tokenizer, chat template (vLLM, TGI, transformers)
--as vllm      adapters/NAME over one base, and vllm.yaml for `vllm serve --config`; a whole model where vLLM takes no
               such adapter (DoRA, full fine-tuning)
--as gguf      one file for llama.cpp, made by its convert_hf_to_gguf.py

--json   output, form, base, runs (each with folder, run_id, step, name, kind, weights_sha256), files (each with name,
         bytes, sha256), bytes, needed_bytes, free_bytes
"""

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from backends.errors import BackendError
from backends.events import ENDED
from backends.peft_local.backend import PeftBackend
from backends.peft_local.exporting import Form, TargetTaken, Tuned, export, needed_bytes
from backends.peft_local.manifests import Manifest, described
from engagements.cli.output import answers, console, json_option, plain_text, print_json, to_stderr
from engagements.cli.training.folder import NoRun, RunFolder
from engagements.cli.training.places import BackendRefused, made, refusals
from engagements.cli.training.summary import summary_of
from engagements.phases.training.judging.record import ChosenCheckpoint, RecordInvalid
from estimator.errors import EstimatorError, Problem

CONVERTER: Final = "convert_hf_to_gguf.py"
_LOCAL: Final = "peft"
_UNNAMED: Final = re.compile(r"[^A-Za-z0-9._-]+")
_MB: Final = 1_000_000
_OUTTYPES: Final = ("auto", "f32", "f16", "bf16", "q8_0")


class ExportRefused(EstimatorError):
    """It cannot be exported like this; nothing was written."""

    code = "export_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The checkpoint of a run that was chosen, and its weights."""

    folder: Path
    run_id: str
    checkpoint: ChosenCheckpoint
    tuned: Tuned
    backend: PeftBackend


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path, file_okay=False))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="A folder that is not there yet.")
@click.option("--as", "form", type=click.Choice([each.value for each in Form]), required=True, help="For whom.")
@click.option("--converter", type=click.Path(path_type=Path), help=f"llama.cpp's {CONVERTER}, for gguf.")
@click.option("--outtype", type=click.Choice(_OUTTYPES), default="auto", show_default=True, help="Numbers of a gguf.")
@json_option
@answers
@refusals
def command(
    folders: tuple[Path, ...], output: Path, form: str, converter: Path | None, outtype: str, as_json: bool
) -> None:
    """Export the chosen checkpoint of the run in FOLDERS; as vllm of several runs over one base, swapped by name.

    The output is whole or not there. Exit code 2: nothing was written.
    """
    wanted = Form(form)
    if len(folders) > 1 and wanted is not Form.VLLM:
        raise click.UsageError("one run at a time: only --as vllm takes several, as adapters over one base")
    chosen, found, problems = list[Chosen](), converter, list(_target_problems(output))
    if wanted is Form.GGUF:
        found, missing = _converter(converter)
        problems += missing
    for folder in dict.fromkeys(folders):
        try:
            chosen.append(_chosen(RunFolder(path=folder)))
        except (NoRun, RecordInvalid, ExportRefused, BackendRefused) as error:
            problems += error.problems
    problems += _name_problems(chosen)
    if problems:
        raise ExportRefused(*problems)
    needed, free = _room(chosen, wanted, output)
    tuned, exporter = [each.tuned for each in chosen], chosen[0].backend.exporter
    made_of = export(tuned, output, wanted, exporter, converter=found, outtype=outtype)
    told = _told(chosen, made_of, output, wanted) | {"needed_bytes": needed, "free_bytes": free}
    if as_json:
        print_json(told)
    else:
        _show(told, output)


def _target_problems(output: Path) -> Iterator[Problem]:
    if output.exists() or output.is_symlink():
        remedy = "name a folder that is not there yet: nothing is ever written over"
        yield Problem(code=TargetTaken.code, where=str(output), message="is there already", remedy=remedy)


def _converter(given: Path | None) -> tuple[Path | None, list[Problem]]:
    """The script, or where it was looked for."""
    beside = [Path("llama.cpp"), Path.home() / "llama.cpp"]
    named = shutil.which(CONVERTER, mode=os.F_OK)
    places = [given] if given else [*([Path(named)] if named else []), *(each / CONVERTER for each in beside)]
    if (found := next((each for each in places if each.is_file()), None)) is not None:
        return found.resolve(), []
    looked = str(given) if given else f"on PATH, in {' and '.join(str(each) for each in beside)}"
    message = f"{CONVERTER} is not there; looked {'for ' if given else ''}{looked}"
    remedy = "give its place by --converter PATH (it is in llama.cpp's repository), or export --as merged"
    return None, [Problem(code="no_converter", where="--converter", message=message, remedy=remedy)]


def _chosen(folder: RunFolder) -> Chosen:
    """Raises `NoRun`, `RecordInvalid`, `ExportRefused`, and `BackendRefused` for weights that are not kept."""
    found, where = summary_of(folder), str(folder.path)
    if found.record is None or found.standing is None or found.standing.poll.state not in ENDED:
        message, remedy = f"it is {found.state}, and not finished", f"sixfold runs watch {where}"
        raise ExportRefused(Problem(code="not_finished", where=where, message=message, remedy=remedy))
    if found.record.checkpoint is None:
        message, remedy = "it left no checkpoint that could be chosen", "train it again, with --checkpoints"
        raise ExportRefused(Problem(code="nothing_chosen", where=where, message=message, remedy=remedy))
    backend = made(found.spec.backend, found.plan.backend, folder.path) if found.plan.backend.kind == _LOCAL else None
    if not isinstance(backend, PeftBackend):
        message = f"its weights lie with {found.spec.backend}, not on this machine"
        remedy = f"ask that for {found.record.checkpoint.model} by its name, or download it from there"
        raise ExportRefused(Problem(code="not_offered", where=where, message=message, remedy=remedy))
    checkpoint = found.record.checkpoint
    return Chosen(
        folder=folder.path, run_id=found.spec.run_id, checkpoint=checkpoint, backend=backend,
        tuned=_tuned(backend, checkpoint, where, name=_named(found.spec.suffix or folder.path.resolve().name)),
    )  # fmt: skip


def _tuned(backend: PeftBackend, checkpoint: ChosenCheckpoint, where: str, *, name: str) -> Tuned:
    """The weights, if they are those that were chosen; their bytes are compared when they are exported."""
    try:
        tuned = backend.tuned(checkpoint.model, name=name)
        digest = tuned.manifest.weights_sha256
    except BackendError as error:
        remedy = "look whether the run's folder, and its base model, are whole and where they were"
        raise ExportRefused(Problem(code=error.code, where=where, message=str(error), remedy=remedy)) from error
    if checkpoint.sha256 is not None and digest != checkpoint.sha256:
        message = f"the weights are not those that were chosen: {digest[:16]}, recorded {checkpoint.sha256[:16]}"
        remedy = "restore the checkpoint from a backup, or train it again: sixfold train --from record.json"
        raise ExportRefused(Problem(code="checkpoint_invalid", where=where, message=message, remedy=remedy))
    return tuned


def _named(text: str) -> str:
    """A name that files, YAML and requests take."""
    return _UNNAMED.sub("-", text).strip("-.")[:60] or "model"


def _name_problems(chosen: Sequence[Chosen]) -> Iterator[Problem]:
    names = [each.tuned.name for each in chosen]
    for each in chosen:
        if names.count(each.tuned.name) > 1:
            message, remedy = f"another run is called {each.tuned.name} too", "give one folder another name"
            yield Problem(code="name_taken", where=str(each.folder), message=message, remedy=remedy)


def _room(chosen: Sequence[Chosen], form: Form, output: Path) -> tuple[int, int]:
    """Bytes that it takes at the most and those that are free, said before anything is written.

    Raises `ExportRefused`.
    """
    there = next(each for each in (output.absolute().parent, *output.absolute().parents) if each.is_dir())
    needed, free = needed_bytes([each.tuned for each in chosen], form), shutil.disk_usage(there).free
    said = f"it takes {needed / _MB:,.0f} MB at the most, and {free / _MB:,.0f} MB are free"
    if needed > free:
        raise ExportRefused(
            Problem(code="no_room", where=str(there), message=said, remedy="free space, or write elsewhere")
        )
    to_stderr.print(plain_text(f"{said} in {there}"))
    return needed, free


def _told(chosen: Sequence[Chosen], made_of: Mapping[str, Manifest], output: Path, form: Form) -> dict[str, Any]:
    files = {name: file for name, file in described(output).items() if not name.endswith("/manifest.json")}
    return {
        "output": str(output), "form": form.value, "base": chosen[0].tuned.base_name,
        "runs": [
            {
                "folder": str(each.folder), "run_id": each.run_id, "step": each.checkpoint.step,
                "name": each.tuned.name, "kind": made_of[each.tuned.name].kind,
                "weights_sha256": each.checkpoint.sha256,
            }
            for each in chosen
        ],
        "files": [{"name": name, "bytes": file.bytes, "sha256": file.sha256} for name, file in files.items()],
        "bytes": sum(file.bytes for file in files.values()),
    }  # fmt: skip


def _show(told: Mapping[str, Any], output: Path) -> None:
    where = plain_text(str(output))
    console.print(f"[green]{told['form']}[/] in {where}: {len(told['files'])} files, {told['bytes'] / _MB:,.1f} MB")
    for each in told["runs"]:
        console.print(f"{plain_text(each['name'])}: step {each['step']} of {plain_text(each['folder'])}")
    if told["form"] == Form.VLLM:
        console.print("in that folder: vllm serve --config vllm.yaml")

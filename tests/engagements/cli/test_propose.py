import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pypdf
import pytest

Sixfold = Callable[..., Any]
BriefFile = Callable[..., Path]

ON = ["--on", "2026-11-22"]
KEYS = [
    "pdf", "snapshot", "sha256", "bytes", "number", "version", "stage", "issued", "valid_until", "option", "net",
    "gross", "currency",
]  # fmt: skip


@pytest.fixture(scope="module")
def proposed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A folder with the proposal of the example, written by the command in a process of its own, and what it said."""
    folder = tmp_path_factory.mktemp("proposed")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SIXFOLD_")}

    def sixfold(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "engagements", *arguments]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    (folder / "brief.toml").write_text(sixfold("brief", "new", *ON).stdout, "utf-8")
    numbered = ["--number", "P-2026-0007", "--version", "2", "--supersedes", "version 1 of 1 November 2026"]
    return folder, sixfold("propose", "brief.toml", "-o", "proposal.pdf", *ON, *numbered, "--json")


def test_a_proposal_is_written_with_its_snapshot_and_the_keys_promised(
    proposed: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, said = proposed
    answer = json.loads(said.stdout)
    assert said.returncode == 0
    assert list(answer) == KEYS
    pdf = (folder / answer["pdf"]).read_bytes()
    assert (answer["bytes"], answer["sha256"]) == (len(pdf), hashlib.sha256(pdf).hexdigest())
    assert (answer["number"], answer["version"], answer["option"]) == ("P-2026-0007", 2, "deliver")
    assert (answer["issued"], answer["valid_until"]) == ("2026-11-22", "2026-12-22")
    assert sorted(path.name for path in folder.iterdir()) == ["brief.toml", "proposal.json", "proposal.pdf"]
    assert json.loads((folder / answer["snapshot"]).read_bytes())
    text = "".join(page.extract_text() for page in pypdf.PdfReader(folder / "proposal.pdf").pages)
    assert "P-2026-0007" in text


def test_notes_and_progress_of_a_proposal_are_on_standard_error(
    proposed: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    said = proposed[1]
    assert "Before it is sent" in said.stderr
    assert "name your agency with SIXFOLD_AGENCY__NAME" in said.stderr
    assert "\x1b" not in said.stdout + said.stderr


def refused(sixfold: Sixfold, folder: Path, *arguments: object) -> Any:
    """The answer of a call that must write nothing, neither a PDF nor anything else."""
    before = {path: path.read_bytes() for path in folder.iterdir()}
    answer = sixfold("propose", *arguments, *ON)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    return answer


def test_a_verdict_against_fine_tuning_is_1_and_nothing_is_written(
    sixfold: Sixfold, brief_file: BriefFile, tmp_path: Path
) -> None:
    prompt_is_enough = {"instructions": '"enough"', "few_shot": '"good"', "hard_to_describe": "false"}
    no_style = {"consistent_format": "false", "house_style": "false", "domain_language": "false"}
    path = brief_file(prompt_is_enough | no_style | {"latency_critical": "false"})
    (tmp_path / "proposal.pdf").write_bytes(b"an older one")
    answer = refused(sixfold, tmp_path, path, "-o", "proposal.pdf", "--json")
    assert (answer.code, answer.json["error"]) == (1, "proposal_refused")
    assert [code for _, _, code in answer.places] == ["fit.no"]
    assert "--despite REASON" in answer.json["problems"][0]["remedy"]


def test_no_route_left_is_1_and_nothing_is_written(sixfold: Sixfold, brief_file: BriefFile, tmp_path: Path) -> None:
    path = brief_file()
    text = path.read_text("utf-8")
    before, after = text.index("[[training.routes]]"), text.index("[traffic]")
    route = '[[training.routes]]\nprovider = "openai"\nmodel = "gpt-4o-mini"\n\n'
    path.write_text(text[:before] + route + text[after:], "utf-8")
    answer = refused(sixfold, tmp_path, path, "-o", "proposal.pdf", "--json")
    assert answer.code == 1
    assert "2027-01-14" in answer.out


def test_a_proposal_with_holes_is_1_with_all_of_them(sixfold: Sixfold, brief_file: BriefFile, tmp_path: Path) -> None:
    path = brief_file({"start": "2026-10-01", "decision_by": "2026-09-01"})
    answer = refused(sixfold, tmp_path, path, "-o", "proposal.pdf")
    assert (answer.code, answer.out) == (1, "")
    assert "Not written" in answer.err
    assert "project.start" in answer.err
    assert "project.decision_by" in answer.err


@pytest.mark.parametrize("target", ["gone/proposal.pdf", "brief.toml/proposal.pdf", "/proc/proposal.pdf"])
def test_a_target_that_cannot_be_written_is_2_before_anything_is_rendered(
    sixfold: Sixfold, brief_file: BriefFile, tmp_path: Path, target: str
) -> None:
    answer = refused(sixfold, tmp_path, brief_file(), "-o", target, "--json")
    assert (answer.code, answer.json["error"]) == (2, "file_unwritable")


@pytest.mark.parametrize("target", [".", "brief.toml", "proposal.json", "brief.pdf", "tickets.pdf", "sixfold.pdf"])
def test_neither_the_pdf_nor_its_snapshot_falls_on_a_file_that_is_read(
    sixfold: Sixfold, brief_file: BriefFile, tmp_path: Path, target: str
) -> None:
    rows = [
        {"messages": [{"role": "user", "content": f"Q {n}?"}, {"role": "assistant", "content": "A."}]}
        for n in range(12)
    ]
    (tmp_path / "tickets.json").write_text(json.dumps(rows))
    brief = json.loads(sixfold("brief", "new", "--json", *ON).out)
    brief["data"]["dataset"] = "tickets.json"
    (tmp_path / "brief.json").write_text(json.dumps(brief))
    brief_file()
    (tmp_path / "sixfold.json").write_text("notes of ours")
    (tmp_path / "sixfold.toml").write_text('[agency]\nterms = "sixfold.json"\n')
    answer = refused(sixfold, tmp_path, "brief.toml" if target == "brief.toml" else "brief.json", "-o", target)
    assert (answer.code, answer.out) == (2, "")


@pytest.mark.parametrize("words", ["", "  ", "x" * 201, "two\nlines", "steer\x1b[2J", "tur\u202en"])
@pytest.mark.parametrize("option", ["--number", "--supersedes", "--despite"])
def test_a_line_that_a_client_reads_is_bounded_and_printable(
    sixfold: Sixfold, brief_file: BriefFile, tmp_path: Path, option: str, words: str
) -> None:
    answer = refused(sixfold, tmp_path, brief_file(), "-o", "p.pdf", option, words, "--json")
    assert (answer.code, answer.json["error"]) == (2, "usage")


@pytest.mark.parametrize("version", ["0", "1000", "x"])
def test_a_version_out_of_bounds_is_bad_usage(
    sixfold: Sixfold, brief_file: BriefFile, tmp_path: Path, version: str
) -> None:
    assert refused(sixfold, tmp_path, brief_file(), "-o", "p.pdf", "--version", version).code == 2


def test_settings_that_cannot_be_meant_are_2_with_all_that_is_wrong(
    sixfold: Sixfold, brief_file: BriefFile, tmp_path: Path
) -> None:
    (tmp_path / "sixfold.toml").write_text('[agency]\nnmae = "x"\naccent = "red"\npaper = "A5"\n')
    answer = refused(sixfold, tmp_path, brief_file(), "-o", "p.pdf", "--json")
    assert (answer.code, answer.json["error"]) == (2, "settings_invalid")
    assert {where for _, where, _ in answer.places} == {"agency.nmae", "agency.accent", "agency.paper"}

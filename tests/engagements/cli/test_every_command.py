import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from engagements import __version__

Sixfold = Callable[..., Any]
BriefFile = Callable[..., Path]

COMMANDS = [
    "brief", "fit", "tokens", "data", "train", "runs", "estimate", "hardware", "compare", "propose", "prices", "serve",
    "sign-in", "db", "keys", "audit",
]  # fmt: skip
RUN = ["--model", "llama-3.1-8b", "--method", "lora", "--gpu", "H100", "--seq", "2048", "--batch", "2"]

# Each command with a file of the user's, which is the last word here.
READING = {
    "brief check": ["brief", "check"],
    "fit": ["fit"],
    "estimate": ["estimate"],
    "compare": ["compare", "--vary", "data.examples=600"],
    "propose": ["propose", "-o", "p.pdf"],
    "tokens": ["tokens", "--model", "gpt-4o"],
    "tokens --tokenizer": ["tokens", "rows.jsonl", "--tokenizer"],
    "prices": ["prices", "--prices"],
    "hardware --config": ["hardware", *RUN[2:], "--config"],
    "hardware --prices": ["hardware", *RUN, "--prices"],
}


@pytest.fixture
def a_process(tmp_path: Path) -> Callable[..., "subprocess.Popen[bytes]"]:
    """Starts the command in a process of its own, in the folder of the test."""

    def start(*arguments: object, **options: Any) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "engagements", *map(str, arguments)]
        return subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, **options)

    return start


def test_the_list_of_commands_is_whole_and_each_has_its_help(sixfold: Sixfold) -> None:
    answer = sixfold("--help")
    assert (answer.code, answer.err) == (0, "")
    listed = answer.out[answer.out.index("Commands:") :].splitlines()[1:]
    assert [line.split()[0] for line in listed] == COMMANDS
    for command in COMMANDS:
        helped = sixfold(command, "--help")
        assert (helped.code, helped.err) == (0, "")
        assert helped.out.startswith(f"Usage: sixfold {command} ")
    assert sixfold("-h").out == answer.out


def test_the_version_is_the_packages(sixfold: Sixfold) -> None:
    assert sixfold("--version").out.strip() == f"sixfold, version {__version__}"


@pytest.mark.parametrize("words", [["fitt"], ["fit"], ["fit", "a", "b"], ["fit", "--jsn"], ["brief"], ["brief", "old"]])
def test_bad_usage_is_2_says_so_on_standard_error_and_as_json_on_standard_output(
    sixfold: Sixfold, words: list[str]
) -> None:
    said = sixfold(*words)
    assert (said.code, said.out) == (2, "")
    assert "sixfold" in said.err
    as_json = sixfold(*words, "--json")
    assert (as_json.code, as_json.json["error"]) == (2, "usage")
    assert as_json.json["problems"][0]["remedy"].endswith("--help")
    assert as_json.err == ""


@pytest.mark.parametrize("name", ["gone.toml", "rows.jsonl/inside", "n" * 300, ""])
@pytest.mark.parametrize("command", READING.values(), ids=READING)
def test_a_file_that_cannot_be_is_2_and_named(sixfold: Sixfold, tmp_path: Path, command: list[str], name: str) -> None:
    (tmp_path / "rows.jsonl").write_text("{}\n")
    answer = sixfold(*command, name, "--json")
    assert (answer.code, answer.err) == (2, "")
    assert answer.json["problems"]
    assert all(problem["message"] and problem["remedy"] for problem in answer.json["problems"])
    assert [path.name for path in tmp_path.iterdir()] == ["rows.jsonl"]


@pytest.mark.parametrize("command", READING.values(), ids=READING)
def test_a_folder_in_place_of_a_file_is_2(sixfold: Sixfold, tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "rows.jsonl").write_text("{}\n")
    (tmp_path / "folder").mkdir()
    answer = sixfold(*command, "folder", "--json")
    assert (answer.code, answer.json["error"]) == (2, "usage")
    assert "is a directory" in answer.json["problems"][0]["message"]


HOSTILE = {
    "empty": b"",
    "no text": bytes(range(256)),
    "a thousand brackets": b"x = " + b"[" * 1_000,
    "a hundred thousand brackets": b"x = " + b"[" * 100_000,
    "brackets alone": b"[" * 100_000,
    "a long number": b"x = 1" + b"0" * 10_000,
    "a nul": b"x = \0",
    "a lone surrogate": b'x = "\\ud800"',
    "not a number": b"x = nan",
    "an object": b"{}",
    "a table of the wrong kind": b"client = 7\ntraining = 7\noffer = 7\nbilling = 7",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("command", READING.values(), ids=READING)
def test_no_content_of_a_file_ends_in_a_fault_of_ours(
    sixfold: Sixfold, tmp_path: Path, command: list[str], content: bytes
) -> None:
    (tmp_path / "rows.jsonl").write_text("{}\n")
    for name in ("hostile.toml", "hostile.json"):
        (tmp_path / name).write_bytes(content)
        answer = sixfold(*command, name, "--json")
        assert answer.code in {0, 2}, answer.err
        assert isinstance(answer.json, dict)


@pytest.fixture
def lowly() -> Iterator[Path]:
    """A folder that its user may read and not write, which root may write all the same: so root steps down."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        root = os.geteuid() == 0
        yield folder
        if root:
            os.seteuid(0)
        folder.chmod(0o755)


def stepped_down(folder: Path) -> None:
    folder.chmod(0o555)
    if os.geteuid() == 0:
        os.seteuid(65534)


def test_without_the_right_to_write_a_proposal_is_2_and_nothing_is_left(
    sixfold: Sixfold, brief_file: BriefFile, lowly: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (lowly / "brief.toml").write_bytes(brief_file().read_bytes())
    monkeypatch.chdir(lowly)
    sixfold("propose", "brief.toml", "-o", "gone/p.pdf")  # what is loaded late is loaded as who we are
    sixfold("estimate", "brief.toml")
    stepped_down(lowly)
    for words in (["propose", "brief.toml", "-o", "p.pdf"], ["estimate", "brief.toml", "--out", "e.json"]):
        answer = sixfold(*words, "--json")
        assert (answer.code, answer.json["error"]) == (2, "file_unwritable")
        assert "Permission denied" in answer.json["problems"][0]["message"]
    assert [path.name for path in lowly.iterdir()] == ["brief.toml"]


@pytest.mark.parametrize("command", [["brief", "check"], ["tokens", "--model", "gpt-4o"], ["prices", "--prices"]])
def test_without_the_right_to_read_a_file_it_is_2_and_said(
    sixfold: Sixfold, lowly: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    (lowly / "secret.toml").write_text("x = 1")
    monkeypatch.chdir(lowly)
    sixfold(*command, "secret.toml")
    (lowly / "secret.toml").chmod(0)
    stepped_down(lowly)
    answer = sixfold(*command, "secret.toml", "--json")
    assert answer.code == 2
    assert "Permission denied" in answer.out


@pytest.mark.parametrize("words", [["prices"], ["prices", "--json"], ["brief", "new"]])
def test_a_reader_that_has_seen_enough_is_no_fault(
    a_process: Callable[..., "subprocess.Popen[bytes]"], words: list[str]
) -> None:
    with a_process(*words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        complaint = process.stderr.read()
    assert (process.returncode, complaint) == (0, b"")


def test_a_full_device_as_standard_output_is_said_and_is_no_success(
    a_process: Callable[..., "subprocess.Popen[bytes]"],
) -> None:
    with Path("/dev/full").open("wb") as full, a_process("brief", "new", stdout=full) as process:
        assert process.stderr is not None
        complaint = process.stderr.read()
    assert process.returncode == 2
    assert b"No space left on device" in complaint
    assert b"Traceback" not in complaint


def test_the_output_is_whole_where_the_terminal_speaks_ascii_alone(
    a_process: Callable[..., "subprocess.Popen[bytes]"], tmp_path: Path, brief_file: BriefFile
) -> None:
    brief_file({"name": '"Grün & Söhne ✓"'})
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    for words in (["brief", "check", "brief.toml"], ["estimate", "brief.toml"], ["estimate", "brief.toml", "--json"]):
        with a_process(*words, stdout=subprocess.PIPE, env=ascii_only) as process:
            out, err = process.communicate()
        assert (process.returncode, err) == (0, b"")
        assert out
    assert json.loads(out)["brief"]["client"]["name"] == "Grün & Söhne ✓"


@pytest.fixture
def on_a_terminal(tmp_path: Path) -> Callable[..., tuple[int, list[str]]]:
    """The exit code of a command at a terminal of so many columns, and the lines it shows, without their colours."""
    pty = pytest.importorskip("pty")

    def shown(columns: int, *arguments: str) -> tuple[int, list[str]]:
        parent, child = pty.openpty()
        environment = os.environ | {"COLUMNS": str(columns), "TERM": "xterm"}
        command = [sys.executable, "-m", "engagements", *arguments]
        with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=child, stderr=child) as process:
            os.close(child)
            written = b""
            with suppress(OSError):
                while piece := os.read(parent, 65_536):
                    written += piece
        os.close(parent)
        text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", written.decode())
        return process.returncode, re.split(r"[\r\n]+", text)

    return shown


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_tables_keep_to_the_width_of_the_terminal(
    on_a_terminal: Callable[..., tuple[int, list[str]]], brief_file: BriefFile, columns: int
) -> None:
    brief_file()
    code, lines = on_a_terminal(columns, "fit", "brief.toml")
    assert code == 0
    assert max(map(len, lines)) <= columns


def test_progress_shows_the_name_of_a_file_as_it_stands(
    on_a_terminal: Callable[..., tuple[int, list[str]]], tmp_path: Path
) -> None:
    row = '{"messages": [{"role": "user", "content": "%d?"}, {"role": "assistant", "content": "Yes."}]}\n'
    (tmp_path / "a[red].jsonl").write_text("".join(row % number for number in range(12)))
    code, lines = on_a_terminal(100, "tokens", "a[red].jsonl", "--model", "gpt-4o")
    assert code == 0
    assert any(line.startswith("Counting a[red].jsonl") for line in lines)
    assert any(line.endswith("trained tokens") for line in lines)

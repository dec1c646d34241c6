"""The README is true: its map, commands, keys, pictures and examples are those of the tree it stands in."""

import json
import re
import tomllib
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import click
import pytest
from sqlmodel import select

from engagements.cli import cli, run
from engagements.core.models import Organisation
from engagements.core.roles import Role, system_actor
from engagements.migrations import upgrade
from engagements.people.keys import create_key
from engagements.people.users import add_user, found_organisation
from engagements.settings import Settings, read_settings
from engagements.wiring import wire
from estimator import PriceBook
from estimator.brief.example import example_brief
from estimator.prices import TrainingPrice

PROJECT = Path(__file__).resolve().parents[2]
README = (PROJECT / "README.md").read_text("utf-8")
ON = ["--on", "2026-11-22"]

Said = Callable[..., object]


def section(title: str) -> str:
    """What stands under a heading, up to the next one."""
    found = re.search(rf"^##+ {re.escape(title)}\n(.*?)(?=^##|\Z)", README, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def indented(text: str, containing: str) -> str:
    """The indented block in which a line stands."""
    blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", text, re.MULTILINE)
    return next(block for block in blocks if containing in block).replace("\n    ", "\n").removeprefix("    ")


def rows(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Said:
    """What a command prints as JSON, in a folder with the example brief and a dataset."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SIXFOLD_HOME", str(tmp_path / "home"))
    Path("brief.toml").write_text(example_brief(date(2026, 11, 22)), "utf-8")
    turn = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}
    Path("rows.jsonl").write_text(f"{json.dumps(turn)}\n" * 12, "utf-8")

    def answer(*words: str) -> object:
        if words[0] in {"keys", "audit", "sign-in"}:
            founded()
        if words[0] in {"data", "train", "runs"}:
            assert [run(command) for command in PREPARED] == [0, 0]
        if words[0] == "runs":
            assert [run(command) for command in TRAINED] == [0, 0]
        capsys.readouterr()
        code = run([*words, "--json"])
        printed = capsys.readouterr()
        assert code < 2, printed.err
        return json.loads(printed.out)

    return answer


def founded() -> None:
    """The installation that the settings name, with one organisation in it."""
    read_settings().home_folder.mkdir()
    upgrade(read_settings().database_url)
    with closing(wire(read_settings())) as wiring, wiring.store.write() as session:
        now = wiring.clock.now()
        owner = system_actor(found_organisation(session, "Halden & Roth", at=now).id)
        add_user(session, owner, name="Ana", email="ana@example.com", role=Role.ADMINISTRATOR, at=now)


COMMANDS = {
    "tokens": ["tokens", "rows.jsonl", "--model", "gpt-4o-mini"],
    "hardware": ["hardware", "--model", "llama-3.1-8b", "--method", "lora", "--gpu", "H100", "--seq", "2048",
                 "--batch", "1", "--tokens", "1000000"],
    "fit": ["fit", "brief.toml"],
    "estimate": ["estimate", "brief.toml", *ON],
    "compare": ["compare", "brief.toml", *ON, "--vary", "training.runs=5,8"],
    "propose": ["propose", "brief.toml", "-o", "proposal.pdf", *ON],
    "prices": ["prices", *ON],
    "brief check": ["brief", "check", "brief.toml"],
    "keys create": ["keys", "create", "--name", "jobs", "--role", "account_lead"],
    "keys list": ["keys", "list"],
    "sign-in": ["sign-in", "ana@example.com"],
    "db upgrade": ["db", "upgrade"],
    "db check": ["db", "check"],
    "audit verify": ["audit", "verify"],
    "data prepare": ["data", "prepare", "rows.jsonl", "-o", "again"],
    "data import": ["data", "import", "rows.jsonl", "-o", "imported.jsonl"],
    "data import --preview": ["data", "import", "rows.jsonl", "--preview"],
    "data check": ["data", "check", "rows.jsonl"],
    "data review --hand-out": ["data", "review", "dataset/train.jsonl", "--hand-out", "more", "--reviewers", "ana,bo"],
    "data review --collect": ["data", "review", "dataset/train.jsonl", "--collect", "sheets", "-o", "accepted.jsonl"],
    "data split": ["data", "split", "dataset/train.jsonl", "-o", "divided"],
    "data export": ["data", "export", "dataset/train.jsonl", "--format", "openai_chat", "-o", "e.jsonl", "--anyway"],
    "data card": ["data", "card", "dataset"],
    "data diff": ["data", "diff", "dataset", "dataset"],
    "train": ["train", "--backend", "fake", "--model", "none", "--data", "dataset", "-o", "run", "--poll", "0"],
    "runs list": ["runs", "list"],
    "runs show": ["runs", "show", "one"],
    "runs cancel": ["runs", "cancel", "one"],
    "runs compare": ["runs", "compare", "one", "two"],
}  # fmt: skip
PREPARED = (
    ["data", "prepare", "rows.jsonl", "-o", "dataset"],
    ["data", "review", "dataset/train.jsonl", "--hand-out", "sheets", "--reviewers", "ana,bo"],
)
"""What lies there before the steps that follow them."""
TRAINED = [["train", "--backend", "fake", "--model", "none", "--data", "dataset", "--poll", "0", "-o", name]
    for name in ("one", "two")]  # fmt: skip
SERVED = "serve"
"""What does not end by itself is shown in tests/engagements/cli."""


@pytest.mark.parametrize("command", COMMANDS)
def test_the_keys_it_promises_are_those_of_the_answer(said: Said, command: str) -> None:
    promised = dict(row[:2] for row in rows(section("JSON")))[f"`{command}`"]
    without_parts = re.sub(r"\([^()]*\)", "", promised)
    answer = said(*COMMANDS[command])
    assert isinstance(answer, dict)
    assert set(re.findall(r"`(\w+)`", without_parts)) == answer.keys()


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_its_example_of_the_client_does_what_it_shows(serve, tmp_path: Path) -> None:
    url = serve().said["url"]
    with closing(wire(Settings(home=tmp_path / "home"))) as wiring, wiring.store.write() as session:
        owner = system_actor(session.exec(select(Organisation)).one().id)
        _, key = create_key(session, owner, name="jobs", role=Role.ACCOUNT_LEAD, at=wiring.clock.now())
    example = indented(section("The application"), "import Sixfold").replace("https://sixfold.example.com", url)
    left: dict[str, Any] = {"key": key}
    exec(compile(example, "README.md", "exec"), left)
    assert left["engagement"].client_id == left["client"].id
    assert left["client"].notes == "Calls on Mondays."


def test_every_command_is_in_its_table() -> None:
    first = " ".join(row[0] for row in rows(section("The command")))
    assert set(re.findall(r"`([a-z-]+)", first)) == set(cli.list_commands(click.Context(cli)))


def test_every_promised_key_has_its_command() -> None:
    assert {row[0].strip("`") for row in rows(section("JSON"))[2:]} == {*COMMANDS, SERVED}


def test_its_map_names_what_is_there_and_all_of_it() -> None:
    here: dict[int, Path] = {0: PROJECT}
    named = set()
    for line in indented(section("The map"), "estimator/").splitlines():
        depth = (len(line) - len(line.lstrip())) // 4 + 1
        if depth > 3:
            continue
        for name in re.findall(r"(?:[\w.]+/)+(?= |$)|\b[\w.]+\.py\b", line.split("  ")[0] if depth == 1 else line):
            path = next((here[up] / name for up in range(depth - 1, -1, -1) if (here[up] / name).exists()), None)
            assert path, f"{name} is in the map and not in the tree"
            named.add(path)
            if name.endswith("/"):
                here[depth] = path
    packages = {
        path.parent
        for top in ("backends", "engagements", "estimator")
        for path in (PROJECT / top).glob("*/__init__.py")
    }
    assert packages <= named


def test_its_pictures_are_there() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert len(pictures) == 5
    assert [name for name in pictures if not (PROJECT / name).is_file()] == []


def test_its_settings_can_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sixfold.toml").write_text(indented(section("Settings"), "[agency]"), "utf-8")
    for name in ("our-contract-prices.toml", "logo.svg", "our-terms.txt"):
        Path(name).write_text("", "utf-8")
    assert read_settings().agency.signatory == "Marte Halden"


def test_its_settings_of_data_can_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sixfold.toml").write_text(indented(section("Preparing data"), "[model_endpoints.openai]"), "utf-8")
    settings = read_settings()
    assert settings.storage_url == "s3://sixfold-data/agency"
    assert settings.storage_options == {"endpoint_url": "https://s3.example.com"}
    assert len(settings.data_places) == 4
    assert settings.model_endpoints["openai"].key_env == "OPENAI_API_KEY"
    assert settings.model_endpoints["own"].local


@pytest.mark.parametrize("name", ["prepare", "import", "check", "review", "split", "export", "card", "diff"])
def test_every_step_of_preparing_data_is_shown(name: str) -> None:
    assert f"sixfold data {name}" in section("Preparing data")


def test_the_report_of_prepared_data_holds_what_it_says(said: Said) -> None:
    answer = said(*COMMANDS["data prepare"])
    assert isinstance(answer, dict)
    assert json.loads(Path("again/report.json").read_bytes()).keys() == {*answer, "check"} - {"output"}


def test_its_price_joins_the_book(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(indented(section("Settings"), "[[training]]"), "utf-8")
    row = tomllib.loads(file.read_text("utf-8"))["training"][0]
    found = [price for price in PriceBook.load(file).table(TrainingPrice) if price.source == row["source"]]
    assert [str(price.usd) for price in found] == [row["usd"]]


def test_nothing_is_left_to_fill_in() -> None:
    assert re.findall(r"^[A-Z]{3,}$|TODO|TBD|FIXME", README, re.MULTILINE) == []

"""`make demo`: an account lead's commands run on a client's files, and what they leave behind."""

import hashlib
import json
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from pypdf import PdfReader

from engagements.app import create_app
from engagements.settings import read_settings

PROJECT = Path(__file__).resolve().parents[3]
README = (PROJECT / "README.md").read_text("utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """A finished demo: its folder, and what it said."""

    folder: Path
    said: str

    @property
    def estimate(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "estimate.json").read_text("utf-8"))
        return found


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "engagements.demo", "--folder", str(folder), "--on", "2026-11-22"]
    done = subprocess.run(command, capture_output=True, text=True, env={"COLUMNS": "120", "PATH": ""}, check=False)
    assert done.returncode == 0, done.stderr
    return Demo(folder=folder, said=done.stdout)


def squeezed(text: str) -> str:
    """Without what a terminal's width decides: line breaks, indents and the lines of tables and trees."""
    return " ".join(re.sub(r"[│├└─┌┐┘┤┬┴┼]", " ", text).split())


def test_it_leaves_a_brief_a_dataset_an_estimate_and_a_proposal(demo: Demo) -> None:
    left = {path.name for path in demo.folder.iterdir()}
    files = {"tickets.jsonl", "brief.toml", "sixfold.toml", "estimate.json", "proposal.pdf", "proposal.json"}
    assert left == {*files, "sent.pdf", "certificate.pdf", "status.pdf", "status-internal.pdf", "home"}


def test_it_prices_the_brief_on_at_least_four_routes(demo: Demo) -> None:
    priced = [route for route in demo.estimate["routes"] if route["run"] and route["run"]["value"] is not None]
    assert len(priced) >= 4


def test_its_tokens_are_those_counted_in_its_file(demo: Demo) -> None:
    trained = re.search(r"([\d,]+) trained tokens", demo.said)
    assert trained
    per_epoch = [row for row in demo.estimate["figures"] if row["key"] == "dataset.tokens_per_epoch"]
    assert [3 * int(row["value"]) for row in per_epoch] == [int(trained[1].replace(",", ""))]
    assert per_epoch[0]["kind"] == "measured"


def test_its_proposal_says_the_price_of_its_estimate(demo: Demo) -> None:
    proposal = PdfReader(demo.folder / "proposal.pdf")
    text = " ".join(page.extract_text() for page in proposal.pages)
    options = demo.estimate["quote"]["options"]
    assert len(options) == 3
    for option in options:
        assert f"{float(option['net']['amount']):,.2f}" in text
    assert "P-2026-0001" in text


def test_its_certificate_names_the_bytes_that_were_sent(demo: Demo) -> None:
    sent = hashlib.sha256((demo.folder / "sent.pdf").read_bytes()).hexdigest()
    certificate = "".join(page.extract_text() for page in PdfReader(demo.folder / "certificate.pdf").pages)
    assert sent in re.sub(r"\s", "", certificate)
    assert sent in demo.said
    assert "Jana Petersen" in certificate


def test_who_wrote_it_did_not_approve_it_and_it_was_accepted_once(demo: Demo) -> None:
    assert "second_person_required" in demo.said
    assert "proposal_conflict" in demo.said


def test_a_server_in_its_folder_shows_what_was_accepted_and_lets_four_people_in(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(demo.folder)
    sent = hashlib.sha256((demo.folder / "sent.pdf").read_bytes()).hexdigest()
    links = re.findall(r"8640(/sign-in/link/\S+)", demo.said)
    with TestClient(create_app(read_settings()), base_url="http://127.0.0.1:8640") as served:
        named = served.get(f"/api/v1/verify/{sent}").json()
        assert [served.get(link).status_code for link in links] == [200] * 4
    assert (named["number"], named["state"]) == ("P-2026-0001", "accepted")


def test_two_gates_are_passed_and_a_third_says_what_blocks_it(demo: Demo) -> None:
    assert re.findall(r"passes the gate of (\w+ \w+) on evidence", demo.said) == [
        "data preparation",
        "baseline evaluation",
    ]
    assert demo.said.count("it is refused: phase_blocked") == 2
    for code in ("leakage.failed", "reproducible.missing", "compute_cost.unknown"):
        assert code in demo.said


def test_its_status_report_tells_the_client_what_moved_and_nothing_of_our_cost(demo: Demo) -> None:
    report, inside = (
        " ".join(page.extract_text() for page in PdfReader(demo.folder / name).pages)
        for name in ("status.pdf", "status-internal.pdf")
    )
    assert "What moved since" in report
    assert "A second system to answer in" in report
    spent = re.search(r"sees what was spent, ([\d,.]+) of", demo.said)
    assert spent
    assert "CPI" in inside
    assert "CPI" not in report
    assert spent[1] not in report


@pytest.mark.parametrize("command", re.findall(r"^    \$ (sixfold .*)$", README, re.MULTILINE))
def test_the_walk_of_the_readme_shows_what_the_demo_prints(demo: Demo, command: str) -> None:
    shown = README.partition(f"    $ {command}\n")[2].partition("\n\n")[0]
    lines = [part for line in shown.splitlines() if line.startswith("    ") for part in line.split("...")]
    said = squeezed(demo.said)
    assert [line for line in map(squeezed, lines) if line and line not in said] == []


def test_the_sdk_of_the_readme_computes_what_it_says(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seed 7 and the averages of the brief, so another price than that of the command beside it."""
    block = README.partition("## The SDK\n\n")[2].partition("\n\n`estimator` is")[0]
    monkeypatch.chdir(demo.folder)
    said: dict[str, Any] = {}
    exec(compile(textwrap.dedent(block), "README", "exec"), said)
    net, figure = said["result"].quote.recommended.net, said["result"].explain("option.deliver.net")
    promised = re.search(r"# Money: ([\d,.]+) EUR", block)
    assert promised
    assert f"{net.amount:,.2f}" == promised[1]
    assert (figure.value, figure.unit) == (net.amount, "EUR")

"""`make demo`: an account lead's commands run on a client's files, and what they leave behind."""

import hashlib
import json
import re
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from pypdf import PdfReader

from engagements.app import create_app
from engagements.demo.model.process import is_there
from engagements.settings import read_settings
from estimator.evidence import wilson_interval

PROJECT = Path(__file__).resolve().parents[3]
README = (PROJECT / "README.md").read_text("utf-8")

pytestmark = [pytest.mark.slow, pytest.mark.first]
with_the_model = pytest.mark.skipif(not is_there(), reason="`make` has not laid the model down here")


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
    files |= {"routing-held-out.jsonl"}
    assert left == {*files, "sent.pdf", "certificate.pdf", "status.pdf", "status-internal.pdf", "home", "raw"}


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


@with_the_model
def test_a_model_of_this_machine_writes_examples_that_people_have_the_last_word_on(demo: Demo) -> None:
    said = squeezed(demo.said)
    told = re.search(r"as a judge it is right about (\d+) of (\d+) known cases \((\d+)% to (\d+)%\): (\w+)", said)
    accepted = re.search(r"of what the small model wrote (\d+) are accepted", said)
    assert told
    assert accepted
    with closing(sqlite3.connect(demo.folder / "home" / "sixfold.db")) as database:
        (run,) = database.execute("select state, generated, kept, source_id, cost_id, judge_check from synthesis_run")
        states = dict(database.execute("select state, count(*) from example where source_id = ? group by 1", run[3:4]))
        reviewed = database.execute(
            "select count(distinct example_id) from example_review join example on example.id = example_id "
            "where source_id = ?", run[3:4],
        ).fetchone()  # fmt: skip
        cost = database.execute("select amount_minor, price from cost_entry where id = ?", run[4:5]).fetchone()
    check = json.loads(run[5])
    assert (run[0], run[1], sum(states.values())) == ("done", 8, run[2])
    assert (states.get("accepted", 0), states.get("pending", 0), reviewed) == (int(accepted[1]), 0, (run[2],))
    assert [check["right"], check["cases"]] == [int(each) for each in told.groups()[:2]]
    assert (told[5] == "it") == check["relied_on"]
    assert (cost[0], json.loads(cost[1])["amount"]) == (0, "0 and 0")


@with_the_model
def test_three_runs_really_train_the_small_model_and_one_is_chosen_with_its_reason(demo: Demo) -> None:
    with closing(sqlite3.connect(demo.folder / "home" / "sixfold.db")) as database:
        runs = database.execute("select name, state, backend, spent_minor from training_run order by number").fetchall()
        ((choice,),) = database.execute("select choice from experiment").fetchall()
        candidates = database.execute("select record_sha256 from model_version where is_candidate").fetchall()
    assert runs == [(name, "succeeded", "peft", 0) for name in ("defaults", "lower-rate", "curated")]
    assert squeezed(json.loads(choice)["reason"]) in squeezed(demo.said)
    assert len(candidates) == 1
    assert candidates[0][0][:12] in demo.said


@with_the_model
def test_a_trainer_that_is_killed_is_started_again_and_comes_to_the_same_losses(demo: Demo) -> None:
    said = squeezed(demo.said)
    killed = re.search(r"ends the trainer, process \d+, after step (\d+)", said)
    resumed = re.search(r"the run went on after step (\d+): steps? .*? came with the same losses again", said)
    assert killed
    assert resumed
    assert 0 < int(resumed[1]) < int(killed[1])
    launches = [json.loads(path.read_text("utf-8"))["launches"] for path in demo.folder.glob("home/**/launches.json")]
    assert sorted(launches) == [1, 1, 2]


@with_the_model
def test_held_out_tickets_are_routed_far_better_than_before_with_intervals(demo: Demo) -> None:
    told = re.findall(
        r"(\d+) of (\d+) right, [\d.]+% \(95% interval ([\d.]+)% to ([\d.]+)%, Wilson\)", squeezed(demo.said)
    )
    (before, after) = [(int(hits), int(items)) for hits, items, _, _ in told]
    for hits, items, low, high in told:
        between = wilson_interval(int(hits) / int(items), int(items))
        assert (low, high) == (f"{100 * between.low:.1f}", f"{100 * between.high:.1f}")
    assert before[1] == after[1] == 60
    assert before[0] <= 10
    assert after[0] >= 40
    assert "by exact McNemar, 60 items)" in squeezed(demo.said)


@with_the_model
def test_the_third_gate_of_what_the_server_trains_fills_itself(demo: Demo) -> None:
    with closing(sqlite3.connect(demo.folder / "home" / "sixfold.db")) as database:
        ours = database.execute(
            "select count(*) from evidence_record where kind = 'training_run' and source = 'Sixfold training'"
        ).fetchone()
    assert ours == (3,)
    assert "has filled itself: 5 of 5 requirements are met" in squeezed(demo.said)


@with_the_model
def test_the_same_files_are_rehearsed_at_a_provider_that_is_none_with_one_job(demo: Demo) -> None:
    said = squeezed(demo.said)
    assert "its losses are made up, and it says so" in said
    assert re.search(r"looked for and found, not sent anew: ftjob-\w+", said)


def test_two_gates_are_passed_and_a_third_says_what_blocks_it(demo: Demo) -> None:
    assert re.findall(r"passes the gate of (\w+ \w+) on evidence", demo.said) == [
        "data preparation",
        "baseline evaluation",
    ]
    assert demo.said.count("it is refused: phase_blocked") == 2
    for code in ("leakage.missing", "reproducible.missing", "compute_cost.unknown"):
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

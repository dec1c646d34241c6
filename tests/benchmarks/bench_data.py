"""Data preparation: `sixfold data prepare` on generated support tickets, and its search beside datasketch.

The tickets are the demo's (generated, German and English, our own text), with their intent as the label. A tenth of the
rows are planted: copies with other case and blanks, and near copies with a typo, a greeting or a dropped word. The
command runs as a process of its own with two workers, as a user would run it; memory is that of all of them together,
looked at ten times a second. A row more is measured by three times as many rows; a third argument names other sizes:

    python tests/benchmarks/bench_data.py 1000000
"""

import csv
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path

import psutil
from datasketch import MinHash, MinHashLSH
from measurement import Measurement

from engagements.demo.tickets import tickets
from engagements.phases.data_preparation.deduplication.near import SHINGLE, near_links, sign
from estimator.tokens.normal import folded

ROWS = 100_000
MORE_ROWS = 300_000
SECONDS_MAX = 60
MEMORY_MAX_GIB = 1.5
GROWTH_MAX = 1.3
PLANTED = 0.1
SEARCHED = 6_000
JACCARD = 0.8
RECALL_MIN = 0.95
FASTER_MIN = 5
_SEED = 20_261_122


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    seconds: float
    peak_gib: float
    report: dict[str, object]


def measure() -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory() as folder:
        yield from measure_search()
        first = prepared(Path(folder), ROWS)
        name = f"{ROWS:,} tickets prepared"
        yield Measurement(
            name=name, measured=first.seconds, unit="s", bar=f"<= {SECONDS_MAX}", holds=first.seconds <= SECONDS_MAX,
            beside="checked, deduplicated, divided and decontaminated; 0 leaks left",
        )  # fmt: skip
        yield Measurement(
            name=f"{name}: memory of all processes", measured=first.peak_gib, unit="GiB", bar=f"<= {MEMORY_MAX_GIB}",
            holds=first.peak_gib <= MEMORY_MAX_GIB,
        )  # fmt: skip
        second = prepared(Path(folder), MORE_ROWS)
        ratio = (second.seconds / MORE_ROWS) / (first.seconds / ROWS)
        yield Measurement(
            name=f"time a row, {MORE_ROWS:,} rows over {ROWS:,}", measured=ratio, unit="x", bar=f"<= {GROWTH_MAX}",
            holds=ratio <= GROWTH_MAX, beside=f"{second.seconds:.0f} s, {second.peak_gib:.1f} GiB",
        )  # fmt: skip


# --- the command ------------------------------------------------------------------------------------------------------


def prepared(folder: Path, rows: int) -> Run:
    """Write the tickets, prepare them in a process of its own, and watch it."""
    source, output = folder / f"tickets_{rows}.csv", folder / f"prepared_{rows}"
    write_tickets(source, rows)
    command = [
        sys.executable, "-m", "engagements", "data", "prepare", str(source), "--task", "classification", "--seed", "7",
        "--input", "message", "--target", "intent", "--id", "id", "-o", str(output),
    ]  # fmt: skip
    begin = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        watched = Watched(child.pid)
        _, said = child.communicate()
    seconds = time.perf_counter() - begin
    assert child.returncode == 0, said.decode()[-2_000:]
    report = json.loads((output / "report.json").read_bytes())
    assert report["rows_in"] == rows
    assert not any(report["leaks"].values())
    assert report["exact_duplicates"] > 0
    return Run(seconds=seconds, peak_gib=watched.peak_gib(), report=report)


class Watched:
    """The highest resident size of a process and all that it started, together."""

    def __init__(self, pid: int) -> None:
        self._process, self._done, self._peak = psutil.Process(pid), threading.Event(), 0
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def peak_gib(self) -> float:
        self._done.set()
        self._thread.join()
        return self._peak / 2**30

    def _watch(self) -> None:
        while not self._done.wait(0.1):
            self._peak = max(self._peak, self._now())

    def _now(self) -> int:
        try:
            return sum(each.memory_info().rss for each in (self._process, *self._process.children(recursive=True)))
        except psutil.Error:
            return 0


def write_tickets(path: Path, rows: int) -> None:
    rng = random.Random(_SEED)
    planted = int(rows * PLANTED)
    originals = list(tickets(rows - planted, until=date(2026, 11, 22), seed=_SEED))
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(("id", "message", "intent"))
        for ticket in originals:
            out.writerow((ticket.id, ticket.message, ticket.intent))
        for number, ticket in enumerate(rng.choices(originals, k=planted)):
            out.writerow((f"P-{number:06d}", altered(ticket.message, rng), ticket.intent))


def altered(text: str, rng: random.Random) -> str:
    """A copy as people and systems make them."""
    match rng.randrange(4):
        case 0:
            return text.upper().replace(" ", "  ")
        case 1:
            return f"Hallo, {text} Danke!"
        case 2:
            place = rng.randrange(len(text) - 1)
            return text[:place] + text[place + 1 :]
        case _:
            words = text.split(" ")
            del words[rng.randrange(len(words))]
            return " ".join(words)


# --- the search for near duplicates -----------------------------------------------------------------------------------


def measure_search() -> Iterator[Measurement]:
    """Both are given the same texts and the same planted pairs; each reads the runs of characters itself."""
    rng = random.Random(_SEED)
    originals = [
        folded(each.message) for each in islice(tickets(SEARCHED, until=date(2026, 11, 22), seed=_SEED), SEARCHED)
    ]
    pairs = list(planted_pairs(originals, rng))
    texts = [*originals, *(copy for _, copy in pairs)]
    truth = [(original, SEARCHED + number) for number, (original, _) in enumerate(pairs)]
    ours, our_seconds = timed(texts, search)
    theirs, their_seconds = timed(texts, search_by_datasketch)
    recall, their_recall = (sum(pair in found for pair in truth) / len(truth) for found in (ours, theirs))
    yield Measurement(
        name=f"near duplicates planted at Jaccard {JACCARD}: recall", measured=recall, unit="", bar=f">= {RECALL_MIN}",
        holds=recall >= RECALL_MIN, beside=f"datasketch {their_recall:.3f}; {len(truth):,} pairs",
    )  # fmt: skip
    ratio = their_seconds / our_seconds
    holds = ratio >= FASTER_MIN and recall >= their_recall - 0.01
    yield Measurement(
        name="near-duplicate search beside datasketch", measured=ratio, unit="x faster", bar=f">= {FASTER_MIN}",
        holds=holds, beside=f"{our_seconds:.2f} s and {their_seconds:.2f} s, at equal recall or better",
    )  # fmt: skip


def planted_pairs(originals: Sequence[str], rng: random.Random) -> Iterator[tuple[int, str]]:
    """Copies from which words were taken out or put in until the Jaccard index falls to 0.8 at the least."""
    for number in rng.sample(range(len(originals)), len(originals) // 5):
        copy = originals[number]
        while jaccard(originals[number], shorter := without_a_word(copy, rng)) >= JACCARD:
            copy = shorter
        if copy != originals[number]:
            yield number, copy


def without_a_word(text: str, rng: random.Random) -> str:
    words = text.split()
    del words[rng.randrange(len(words))]
    return " ".join(words)


def runs_of(text: str) -> set[str]:
    padded = f" {text} "
    return {padded[start : start + SHINGLE] for start in range(len(padded) - SHINGLE + 1)}


def jaccard(one: str, other: str) -> float:
    first, second = runs_of(one), runs_of(other)
    return len(first & second) / len(first | second)


def timed(texts: Sequence[str], work) -> tuple[set[tuple[int, int]], float]:  # type: ignore[no-untyped-def]
    begin = time.perf_counter()
    return work(texts), time.perf_counter() - begin


def search(texts: Sequence[str]) -> set[tuple[int, int]]:
    links = near_links(texts, sign(texts, seed=7))
    return set(zip(links.first.tolist(), links.second.tolist(), strict=True))


def search_by_datasketch(texts: Sequence[str]) -> set[tuple[int, int]]:
    """As its documentation does it, with the bulk constructor, which is its fastest; 128 values, its default."""
    runs = [[run.encode() for run in runs_of(text)] for text in texts]
    index, found = MinHashLSH(threshold=JACCARD - 0.1, num_perm=128), set()
    for number, each in enumerate(MinHash.generator(runs, num_perm=128, seed=7)):
        found |= {(earlier, number) for earlier in index.query(each)}
        index.insert(number, each)
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        for size in map(int, sys.argv[1:] or [str(ROWS)]):
            run = prepared(Path(place), size)
            sys.stdout.write(
                f"{size:,} rows: {run.seconds:.1f} s, {run.seconds / size * 1e6:.0f} us a row, {run.peak_gib:.2f} GiB\n"
            )

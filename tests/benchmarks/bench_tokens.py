"""Token counting: the whole of `count_dataset` beside tiktoken's own batch call on the same texts, and its memory.

The file is made here: conversations of two to six messages, each message a run of sentences drawn by a seeded generator
from the words of a support desk, with order numbers and names, so that no two messages are alike. Nothing of it is
cached from one row to the next; there is no system prompt and no tool.
"""

import json
import random
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import psutil
from measurement import Measurement, best_seconds, paired_ratio

from estimator.tokens import count_dataset, encoding_for

MODEL = "gpt-4o-mini-2024-07-18"
FILE_BYTES = 20_000_000
MEMORY_ROWS = 2_000_000
MAX_RATIO = 1 / 0.9
MAX_GROWTH_MIB = 64

VOCABULARY = """
the a my your this that our account order invoice delivery package refund payment card number address email login app
website customer support team agent yesterday today tomorrow morning week month please thanks hello because when where
after before while still already never always again first last next new old wrong right missing late early damaged
broken empty full free charged paid sent received returned cancelled changed updated confirmed shipped would could
should can will may must have has had was were is are be been need want like try ask tell check find open close wait
call write send receive pay change update cancel return confirm explain understand apologise resolve arrange and or
but if so then also only just very quite rather about with without from to for in on at by of into over under between
through during against item product size colour quality price discount voucher code subscription contract settings
page button screen message notification error warning reason problem question answer solution step option
"""
WORDS = VOCABULARY.split()


def measure() -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "conversations.jsonl")
        # tiktoken's batch call pays for every text; long ones are where it is at its best.
        for size, sentences in (("short", range(2, 10)), ("long", range(40, 80))):
            texts = write_conversations(path, random.Random(20_261_122), sentences)
            yield beside_tiktoken(path, texts, f"read, check and count a chat file of {size} messages")
        seconds = best_seconds(lambda: count_dataset(path, model=MODEL), repeats=3)
        megabytes_per_s = path.stat().st_size / 1e6 / seconds
        yield Measurement(name="long messages", measured=megabytes_per_s, unit="MB/s", bar="", holds=True)
        growth_mib = memory_growth_mib(Path(folder, "rows.jsonl"))
        yield Measurement(
            name=f"memory for {MEMORY_ROWS:,} rows", measured=growth_mib, unit="MiB", bar=f"<= {MAX_GROWTH_MIB}",
            holds=growth_mib <= MAX_GROWTH_MIB, beside="the same process after a small file",
        )  # fmt: skip


def beside_tiktoken(path: Path, texts: list[str], name: str) -> Measurement:
    tokens = encoding_for(MODEL)._tokens
    ratio = paired_ratio(lambda: count_dataset(path, model=MODEL), lambda: tokens.encode_ordinary_batch(texts))
    beside = f"tiktoken encode_ordinary_batch, {len(texts):,} distinct texts, {path.stat().st_size / 1e6:.0f} MB"
    bar = f"<= {MAX_RATIO:.2f}"
    return Measurement(name=name, measured=ratio, unit="x", bar=bar, holds=ratio <= MAX_RATIO, beside=beside)


def write_conversations(path: Path, rng: random.Random, sentences: Sequence[int]) -> list[str]:
    """Write the file and return all message texts in it; each has one of `sentences` sentences."""
    texts: list[str] = []
    with path.open("w", encoding="utf-8") as file:
        while file.tell() < FILE_BYTES:
            turns = [conversation_text(rng, rng.choice(sentences)) for _ in range(2 * rng.randint(1, 3))]
            roles = ("user", "assistant")
            messages = [{"role": roles[index % 2], "content": text} for index, text in enumerate(turns)]
            file.write(json.dumps({"messages": messages}) + "\n")
            texts += turns
    assert len(set(texts)) == len(texts)
    return texts


def conversation_text(rng: random.Random, sentences: int) -> str:
    written = [" ".join(rng.choices(WORDS, k=rng.randint(5, 18))).capitalize() for _ in range(sentences)]
    return f"{'. '.join(written)} {rng.randrange(10**6)}."


def memory_growth_mib(path: Path) -> float:
    with path.open("w", encoding="utf-8") as file:
        for number in range(MEMORY_ROWS):
            user, assistant = f"Where is order {number}?", f"label_{number % 50}"
            turns = [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]
            file.write(json.dumps({"messages": turns}) + "\n")
    child = subprocess.run([sys.executable, __file__, str(path)], capture_output=True, text=True, check=True)
    return float(child.stdout)


def grow(path: Path) -> float:
    """Runs in the child: the highest resident size while counting, over the size after a warm-up."""
    process = psutil.Process()
    small = path.with_name("small.jsonl")
    with path.open("rb") as rows:
        small.write_bytes(b"".join(islice(rows, 100)))
    count_dataset(small, model=MODEL)
    sizes = [process.memory_info().rss]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            sizes.append(process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    count_dataset(path, model=MODEL)
    done.set()
    watcher.join()
    return (max(sizes) - sizes[0]) / 2**20


if __name__ == "__main__":
    sys.stdout.write(str(grow(Path(sys.argv[1]))))

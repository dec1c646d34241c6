"""OpenAI's data checks over 100,000 rows: `check_file` beside the notebook's own loop in plain Python, on one file.

The rows are made here: one system prompt, and a ticket and its answer drawn word by word, with order numbers, so that
no two rows are alike. Both read the file, check every message and count every token in cl100k_base.
"""

import json
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench_tokens import conversation_text
from measurement import Measurement, paired_ratio
from notebook import Notebook, notebook

from engagements.phases.data_preparation.formats.cookbook import check_file
from estimator.tokens.encodings import encoding_named

ROWS = 100_000
MIN_RATIO = 10
SYSTEM = "You answer the tickets of a support desk, briefly and politely. Name the order, and never promise a date."


def measure() -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "tickets.jsonl")
        write_tickets(path, random.Random(20_261_123))
        # Both tell the same before either is timed; this also loads the ranks and the libraries.
        plain, ours = in_plain_python(path), check_file(path)
        assert ours.billing_tokens == sum(plain.tokens)
        assert ours.format_errors == plain.format_errors
        ratio = 1 / paired_ratio(lambda: check_file(path), lambda: in_plain_python(path), repeats=3)
        beside = f"the notebook's loop in plain Python, {ROWS:,} rows, {path.stat().st_size / 1e6:.0f} MB"
        yield Measurement(
            name="the OpenAI cookbook's data checks", measured=ratio, unit="x faster", bar=f">= {MIN_RATIO}",
            holds=ratio >= MIN_RATIO, beside=beside,
        )  # fmt: skip


def in_plain_python(path: Path) -> Notebook:
    with path.open(encoding="utf-8") as file:
        return notebook([json.loads(line) for line in file], encoding_named("cl100k_base")._tokens.encode)


def write_tickets(path: Path, rng: random.Random) -> None:
    with path.open("w", encoding="utf-8") as file:
        for _ in range(ROWS):
            messages = [
                {"role": "system", "content": SYSTEM},
                {"role": "user", "content": conversation_text(rng, rng.randint(2, 5))},
                {"role": "assistant", "content": conversation_text(rng, rng.randint(1, 3))},
            ]
            file.write(json.dumps({"messages": messages}) + "\n")

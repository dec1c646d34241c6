"""No row of the list is silently missing: it has its test, or stands here with what it waits for."""

import json
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent

# By area: what these rows are about is not there yet, with the exceptions of OTHERS.
LATER_BY_AREA = {
    "training": "runs are submitted by a later phase",
    "cron": "schedules are set by a later phase",
    "gateway": "deployed models are called through the gateway of a later phase",
    "webhook": "the provider's webhooks come with its runs",
}
LATER = {
    "J30": "a leak refuses to be sealed: tests of datasets",
    "D02": "no field of this part takes a moment",
    "D10": "the validity of a proposal: tests of proposals",
    "F12": "adapters are made by a later phase",
    "F13": "adapters are made by a later phase",
    "F15": "adapters are made by a later phase",
    "F16": "adapters are made by a later phase",
    "H20": "sign-in throttling: tests of people",
    "S02": "releases are of a later phase",
    "S03": "runs are of a later phase",
    "S05": "the validity of a proposal: tests of proposals",
    "S06": "revisions of a proposal: tests of proposals",
    "S08": "what a client may change: tests of proposals",
    "S10": "releases are of a later phase",
    "S14": "models are of a later phase",
    "S15": "erasures stay open while a model serves: tests of datasets",
    "X11": "training runs are of a later phase",
    "A06": "every route and every role: tests of people",
    "A10": "keys over the API: tests of people",
    "A11": "changing one's own role: tests of people",
    "A12": "links of proposals: tests of proposals",
    "W06": "limits of the renderer: tests of documents",
}


@pytest.mark.shared_data
def test_every_row_of_the_list_is_built_or_waits_for_a_named_part(shared_data: Path) -> None:
    lines = (shared_data / "bad_inputs/bad_inputs.jsonl").read_text("utf-8").splitlines()
    rows = {row["id"]: row["area"] for row in map(json.loads, lines)}
    source = "".join(path.read_text("utf-8") for path in HERE.glob("test_*.py") if path.name != "test_list.py")
    built = set(re.findall(r'"([A-Z]\d\d)[" ]', source))
    named = re.findall(r"def (test_\w+)", source)
    built |= {name.upper() for test in named for name in re.findall(r"_([a-z]\d\d)(?=_)", test)}
    waiting = {row for row, area in rows.items() if area in LATER_BY_AREA} | LATER.keys()
    assert rows.keys() - built - waiting == set()
    assert LATER.keys() <= rows.keys()

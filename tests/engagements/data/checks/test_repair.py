import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import ftfy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagements.phases.data_preparation.checks.repair import Repair, is_misread, repaired, repairs_of
from engagements.phases.data_preparation.records import Record
from estimator.tokens.mojibake import may_be_misread, mojibake


def test_a_misread_text_gets_a_proposal_and_the_record_stays(record: Callable[..., Record]) -> None:
    before = record("The caf\u00c3\u00a9 is closed", "Sorry")
    assert list(repairs_of(before)) == [
        Repair(where="messages[0]", before="The caf\u00c3\u00a9 is closed", after="The caf\u00e9 is closed")
    ]
    assert before.question == "The caf\u00c3\u00a9 is closed"


@pytest.mark.parametrize("text", ["plain", "naïve café", "“quoted” — it’s fine", "ﬁne ligature", "AT&T", "日本語"])
def test_what_only_looks_unusual_is_no_damage(text: str) -> None:
    assert repaired(text) is None
    assert not is_misread(text)


@pytest.mark.shared_data
def test_the_labelled_cases_are_repaired_as_noted(shared_data: Path) -> None:
    lines = (shared_data / "sets/25_mojibake/cases.jsonl").read_bytes().splitlines()
    figures: Counter[tuple[str, bool]] = Counter()
    untouched = 0
    for case in map(json.loads, lines):
        after = repaired(case["original"]) or case["original"]
        # The labels straighten quotes too, which is no repair of an encoding.
        figures[case["group"], ftfy.fix_text(after) == case["fixed"]] += 1
        untouched += case["group"] == "negative" and after == case["original"]
    assert figures == {
        ("in-the-wild", True): 70, ("synthetic", True): 30, ("negative", True): 31, ("language-names", True): 20,
        ("known-failures", True): 1, ("known-failures", False): 9,
    }  # fmt: skip
    assert untouched == 30  # the 31st holds a control character that its label takes out as well


_OF_DAMAGE = "aZ .,'“”„’–€£°ºÂÃÀàéëäöüßÄÖÜœŒñØÙÐ×÷²³®©\u0081\u00a0√≈‚âóµВГРвЂβ│¡¿\ufffd"


@given(st.text(alphabet=st.one_of(st.characters(codec="utf-8"), st.sampled_from(_OF_DAMAGE)), max_size=8))
def test_what_is_not_looked_at_closer_holds_nothing_that_ftfy_would_find(text):
    if not may_be_misread(text):
        assert ftfy.fix_encoding(text) == text
        assert mojibake(text) is None

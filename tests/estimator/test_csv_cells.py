import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.csv_cells import guarded, unguarded

SIGNS = ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"]


@pytest.mark.parametrize("sign", SIGNS)
def test_a_cell_that_would_begin_a_formula_stands_behind_an_apostrophe(sign: str) -> None:
    assert guarded(f"{sign}1+1") == f"'{sign}1+1"
    assert guarded(f"a{sign}1") == f"a{sign}1"


@given(st.text(st.sampled_from([*SIGNS, "'", "a", " "]), max_size=6))
def test_no_guarded_cell_begins_a_formula_and_every_text_comes_back(text: str) -> None:
    assert not guarded(text).startswith(tuple(SIGNS))
    assert unguarded(guarded(text)) == text

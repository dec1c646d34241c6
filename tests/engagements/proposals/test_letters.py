import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from engagements.proposals.letters import breakable, longest_word, missing_letters


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("Łódź, Ελλάς, Энергия, Ørsted, naïve", ""),
        ("“50 400” – ≥ ½ → ☐ €£¥₹", ""),
        ("客户 and 客", "客户"),
        ("a🚀b", "🚀"),
        ("שלום", "שלום"),
        ("two\nlines\tand a soft\N{SOFT HYPHEN}hyphen\N{ZERO WIDTH SPACE}", ""),
        ("thin\N{THIN SPACE}space", "\N{THIN SPACE}"),
    ],
)
def test_letters_that_no_embedded_font_holds_are_found(text: str, missing: str) -> None:
    assert missing_letters(text) == missing


@given(st.text(alphabet=st.characters(max_codepoint=0x17E, exclude_categories=["Cc", "Cs"])))
def test_everything_latin_can_be_printed(text: str) -> None:
    assert missing_letters(text) == ""


def test_only_long_words_of_a_cell_may_break_and_all_of_it_is_escaped() -> None:
    long = "Datenschutzbeauftragte"
    assert breakable(f"Die {long}\nist <b>") == f'Die <span class="free-text">{long}</span>\nist &lt;b&gt;'
    assert breakable("<" * 19).count("&lt;") == 19


@given(st.text(alphabet="ab<&'\" \n", max_size=80))
def test_marking_words_changes_no_letter(text: str) -> None:
    assert Markup(re.sub("</?span[^>]*>", "", breakable(text))).unescape() == text
    assert longest_word(text) == max(map(len, re.split("[ \n]", text)))

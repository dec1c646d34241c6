"""JSON of a schema with somebody's words in it: it always is of that schema, and what is not followed is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagements.demo.model.filling import ShapeRefused, fill
from engagements.phases.data_preparation.records import Task
from engagements.phases.data_preparation.synthesis.answers import read_answer, read_grade
from engagements.phases.data_preparation.synthesis.shapes import GRADE, examples_shape


class Parrot:
    """Says the same in every string, and takes the last of what it may choose from."""

    def __init__(self, words: str = "Where is my invoice?") -> None:
        self.text, self.words = "", words

    def put(self, text):
        self.text += text

    def choose(self, options):
        self.text += options[-1]

    def write_string(self):
        self.text += self.words


def filled(shape):
    pen = Parrot()
    fill(shape, pen)
    return pen.text


@given(st.integers(1, 5), st.sampled_from(["", "billing", '"Käse"']), st.sampled_from(["generation", "classification"]))
def test_examples_are_read_as_what_they_were_asked_for(count, category, task):
    task = Task(task)
    said = filled(examples_shape(task, category, count))
    found = read_answer(said, "stop", task=task, category=category, asked=count, tokens_max=1_000)
    assert (len(found.candidates), found.left) == (count, ())


def test_a_grade_is_one_of_five():
    assert read_grade(filled(GRADE), "stop").score == 5


def test_an_object_without_properties_and_a_list_without_members_are_empty():
    assert filled({"type": "object", "properties": {}}) == "{}"
    assert filled({"type": "array", "items": GRADE, "minItems": 0, "maxItems": 0}) == "[]"


@pytest.mark.parametrize(
    "shape",
    [
        {}, {"type": "number"}, {"enum": []}, {"type": "array", "items": GRADE},
        {"type": "array", "items": GRADE, "minItems": 1, "maxItems": 3}, {"type": "object"},
        {"type": "object", "properties": {"a": {"anyOf": [GRADE]}}},
    ],
)  # fmt: skip
def test_a_schema_that_is_not_followed_is_refused_by_name(shape):
    with pytest.raises(ShapeRefused, match="does not follow"):
        filled(shape)


def test_the_examples_of_an_extraction_have_no_schema():
    assert examples_shape(Task.EXTRACTION, "", 3) is None
    assert json.dumps(examples_shape(Task.CHAT, "", 1))

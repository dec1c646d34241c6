from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagements.phases.data_preparation.checks.json_schema import departures

ADDRESS = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "minLength": 2},
        "zip": {"type": "string", "pattern": "^[0-9]{5}$"},
        "floor": {"type": ["integer", "null"], "minimum": 0, "maximum": 200},
        "kind": {"enum": ["home", "work"]},
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
        "near": {"$ref": "#/$defs/place"},
    },
    "required": ["city"],
    "additionalProperties": False,
    "$defs": {"place": {"anyOf": [{"type": "string"}, {"type": "number"}]}},
}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"city": "Bonn", "zip": "53111", "floor": None, "kind": "home", "tags": ["a"], "near": 7}, []),
        ({"city": "Bonn", "floor": 3.0}, []),
        ({}, ["the value lacks 'city'"]),
        ([], ["the value is array, not object"]),
        ({"city": "B"}, ["city has 1 characters"]),
        ({"city": 7}, ["city is number, not string"]),
        ({"city": "Bonn", "zip": "531"}, ["zip is '531', not like ^[0-9]{5}$"]),
        ({"city": "Bonn", "floor": 201}, ["floor is 201, out of range"]),
        ({"city": "Bonn", "floor": True}, ["floor is boolean, not integer or null"]),
        ({"city": "Bonn", "kind": "club"}, ["kind is 'club', none of 'home', 'work'"]),
        ({"city": "Bonn", "tags": ["a", 1, "c"]}, ["tags has 3 members, more than 2", "tags[1] is number, not string"]),
        ({"city": "Bonn", "street": "x"}, ["street is not in the schema"]),
        ({"city": "Bonn", "near": []}, ["near fits none of the alternatives"]),
    ],
)
def test_what_departs_from_the_schema_is_named_with_its_place(value: object, said: list[str]) -> None:
    assert list(departures(value, ADDRESS)) == said


def test_a_schema_that_points_to_itself_comes_to_an_end() -> None:
    assert list(departures({"a": {}}, {"$ref": "#"})) == []


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
WORDS = st.sampled_from(
    ["type", "enum", "properties", "required", "items", "minimum", "anyOf", "oneOf", "pattern", "$ref", "minItems"]
)


@given(ODD, st.dictionaries(WORDS, ODD | st.just("object") | st.just("integer"), max_size=5))
def test_no_schema_is_too_odd(value: Any, schema: dict[str, Any]) -> None:
    assert all(isinstance(said, str) for said in departures(value, schema))

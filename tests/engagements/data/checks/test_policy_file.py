import dataclasses
from pathlib import Path

import pytest

from engagements.phases.data_preparation.checks import policy_file
from engagements.phases.data_preparation.checks.policy import Category, CheckPolicy, PersonalDataRule, values_of
from engagements.phases.data_preparation.checks.policy_file import PolicyInvalid, load_policy, read_policy
from engagements.phases.data_preparation.records import Origin, Record, Task


def test_the_policy_of_the_documentation_is_read() -> None:
    text = "\n".join(line.removeprefix("    ") for line in (policy_file.__doc__ or "").splitlines()[2:])
    assert read_policy(text) == CheckPolicy(
        task=Task.CLASSIFICATION, model="gpt-4o-mini-2024-07-18", limit_tokens=4096, languages=frozenset({"en", "de"}),
        personal_data=PersonalDataRule.REDACT, licences=frozenset({"CC BY 4.0"}),
        labels=frozenset({"refund", "delivery"}), output_pattern="[a-z_]+", output_schema={"type": "object"},
        categories=(Category(name="rude customers", field="meta.tags.letters", value="W", examples_min=50),),
    )  # fmt: skip


def test_an_empty_policy_asks_what_the_default_asks() -> None:
    assert read_policy("") == CheckPolicy()


def test_everything_wrong_with_a_policy_is_said_at_once() -> None:
    text = 'task = "poetry"\ncolour = "red"\nlimit_tokens = 0\noutput_pattern = "["\n'
    text += '[[categories]]\nname = ""\nfield = "x"'
    with pytest.raises(PolicyInvalid) as refused:
        read_policy(text)
    places = {problem.where for problem in refused.value.problems}
    assert places == {"task", "colour", "limit_tokens", "output_pattern", "categories.0.name", "categories.0.field"}


@pytest.mark.parametrize("text", ["task = ", 'model = "gpt-99"'])
def test_what_is_no_policy_is_refused(text: str) -> None:
    with pytest.raises(PolicyInvalid):
        read_policy(text)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b'licences = ["caf\xe9"]')
    for name in ("absent.toml", "latin.toml"):
        with pytest.raises(PolicyInvalid):
            load_policy(tmp_path / name)


def test_the_limit_is_said_or_the_models() -> None:
    assert CheckPolicy().limit is None
    assert CheckPolicy(model="gpt-4o-mini-2024-07-18").limit == 65_536
    assert CheckPolicy(model="gpt-4o-mini-2024-07-18", limit_tokens=10).limit == 10


def test_a_field_is_a_label_a_source_or_a_column() -> None:
    record = Record(
        id="r", messages=[], label="refund", origin=Origin(source="crm"), meta={"tags": "QW", "n": 7, "l": [1, "a"]}
    )
    assert values_of(record, "label") == ("refund",)
    assert values_of(record, "source") == ("crm",)
    assert values_of(record, "meta.tags") == ("QW",)
    assert values_of(record, "meta.tags.letters") == ("Q", "W")
    assert values_of(record, "meta.n") == ("7",)
    assert values_of(record, "meta.l") == ("1", "a")
    assert values_of(dataclasses.replace(record, label=None), "label") == ()
    assert values_of(record, "meta.absent") == ()

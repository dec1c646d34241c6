"""How much there is to train on, from the counted file or from averages; epochs by rule."""

from collections.abc import Callable, Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator import Brief
from estimator.sunset import Standing
from estimator.tokens import DatasetCount, count_dataset
from estimator.volume import epochs_of, volume_of

BriefOf = Callable[..., Brief]


@pytest.fixture(scope="session")
def counted(tmp_path_factory: pytest.TempPathFactory) -> DatasetCount:
    """Twenty examples of one question and one answer."""
    file = tmp_path_factory.mktemp("data") / "chat.jsonl"
    turns = '{"messages": [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hi there"}]}\n'
    file.write_text(turns * 20, "utf-8")
    return count_dataset(file, model="gpt-4o-mini")


def test_averages_and_thirteen_tokens_of_framing_make_an_example(brief_of: BriefOf) -> None:
    """387 + 100 + 13 = 500; 2,000 examples split 80, 10 and 10."""
    volume = volume_of(brief_of(), None)
    assert (volume.train.value, volume.validation.value, volume.test.value) == (1_600, 200, 200)
    assert volume.tokens_per_example.value == 500
    assert (volume.train_tokens.value, volume.validation_tokens.value) == (800_000, 100_000)
    assert not volume.counted


def test_two_thousand_examples_of_512_tokens_in_three_epochs_are_3_072_000(brief_of: BriefOf) -> None:
    whole = {"data.prompt_tokens": 399, "data.validation_percent": 0, "data.test_percent": 0}
    brief = brief_of(whole)
    volume = volume_of(brief, None)
    tokens = (volume.train_tokens * epochs_of(brief, volume, openai_rule=True)).value
    assert tokens == 3_072_000


def test_new_examples_add_to_those_at_hand(brief_of: BriefOf) -> None:
    labelling = {"examples": 500, "new": 400, "minutes_per_example": 2}
    assert volume_of(brief_of({"data.labelling": labelling}), None).examples.value == 2_400


def test_a_review_of_more_examples_than_there_are_is_flagged(brief_of: BriefOf) -> None:
    labelling = {"examples": 2_401, "new": 400, "minutes_per_example": 2}
    (finding,) = volume_of(brief_of({"data.labelling": labelling}), None).findings
    assert (finding.code, finding.standing) == ("labelling.beyond", Standing.FLAGGED)
    assert finding.message == "2,001 examples at hand are to be reviewed, and 2,000 are at hand"
    enough = brief_of({"data.labelling": {**labelling, "examples": 2_400}})
    assert list(volume_of(enough, None).findings) == []


def test_a_counted_file_overrules_the_brief_and_says_so(brief_of: BriefOf, counted: DatasetCount) -> None:
    """1 + 2 x 3 framing, 2 roles, "hello" and "hi there": 12 tokens each."""
    volume = volume_of(brief_of(), counted)
    assert volume.counted
    assert (volume.examples.value, volume.train.value, volume.tokens_per_example.value) == (20, 16, 12)
    assert volume.answer_tokens.value == Decimal(2)
    (finding,) = volume.findings
    assert (finding.code, finding.standing) == ("dataset.differs", Standing.FLAGGED)
    assert "says 2,000 examples, the dataset file holds 20" in finding.message


def test_without_averages_tokens_are_unknown_and_never_zero(brief_of: BriefOf) -> None:
    volume = volume_of(brief_of({"data.prompt_tokens": None}), None)
    assert (volume.tokens_per_example.value, volume.train_tokens.value) == (None, None)
    assert volume.train.value == 1_600
    assert [finding.code for finding in volume.findings] == ["tokens.unknown"]


def test_without_an_example_training_is_refused(brief_of: BriefOf) -> None:
    (finding,) = volume_of(brief_of({"data.examples": 0}), None).findings
    assert (finding.code, finding.standing) == ("data.none", Standing.REFUSED)


@given(examples=st.integers(0, 10**6), validation=st.integers(0, 49), test=st.integers(0, 50))
def test_the_splits_always_sum_to_the_examples(brief_of: BriefOf, examples: int, validation: int, test: int) -> None:
    brief = brief_of()
    share = {"examples": examples, "validation_percent": Decimal(validation), "test_percent": Decimal(test)}
    volume = volume_of(brief.model_copy(update={"data": brief.data.model_copy(update=share)}), None)
    parts = [volume.train.require(), volume.validation.require(), volume.test.require()]
    assert sum(parts) == examples
    assert min(parts) >= 0


@pytest.mark.parametrize(("examples", "epochs"), [(10, 10), (25, 4), (103, 3), (8_334, 2), (20_000, 1)])
def test_automatic_epochs_follow_openai_s_rule(brief_of: BriefOf, examples: int, epochs: int) -> None:
    whole: Mapping[str, object] = {
        "data.examples": examples, "data.validation_percent": 0, "data.test_percent": 0, "training.epochs": "auto",
    }  # fmt: skip
    brief = brief_of(whole)
    assert epochs_of(brief, volume_of(brief, None), openai_rule=True).value == epochs
    assert epochs_of(brief, volume_of(brief, None), openai_rule=False).value == min(3, epochs)


def test_stated_epochs_are_taken_as_they_are(brief_of: BriefOf) -> None:
    brief = brief_of({"training.epochs": 7})
    assert epochs_of(brief, volume_of(brief, None), openai_rule=False).value == 7

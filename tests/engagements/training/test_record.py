"""The record of a run: the same record is the same bytes, and what was altered is refused."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from backends.spec import DataFile, TrainingSpec
from engagements.phases.training.judging.record import (
    ChosenCheckpoint,
    RecordInvalid,
    RunRecord,
    canonical,
    digest_of,
    read_record,
)

TEXT = some.text(some.characters(exclude_categories=["Cs"]), max_size=20)


def record(**changes):
    train = DataFile(path=Path("data/train.jsonl"), sha256="a" * 64, rows=10)
    spec = TrainingSpec(run_id="r", backend="peft", model="smöl", train=train, seed=7)
    chosen = ChosenCheckpoint(id="c", step=3, model="m", metric="label", value=0.5, reason="the only checkpoint")
    whole = {"spec": spec, "spec_sha256": spec.digest, "checkpoint": chosen, "metrics": {"label": 0.5}}
    return RunRecord(**whole | changes)


def test_a_record_reads_back_as_it_was_written(tmp_path):
    (tmp_path / "record.json").write_bytes(canonical(record()))
    assert read_record(tmp_path / "record.json") == record()
    assert digest_of(read_record(tmp_path / "record.json")) == digest_of(record())


def test_its_bytes_are_sorted_without_blanks_and_as_they_are_spelt():
    written = canonical(record())
    assert b'"model":"sm\xc3\xb6l"' in written
    assert (
        written == json.dumps(json.loads(written), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    )


@given(
    environment=some.dictionaries(TEXT, TEXT, max_size=4),
    metrics=some.dictionaries(TEXT, some.floats(0, 1), max_size=4),
)
def test_the_order_in_which_things_were_learnt_does_not_matter(environment, metrics):
    turned = {name: environment[name] for name in reversed(environment)}
    one, other = record(environment=environment, metrics=metrics), record(environment=turned, metrics=metrics)
    assert canonical(one) == canonical(other)
    assert RunRecord.model_validate_json(canonical(one)) == one


def test_another_seed_is_another_record():
    other = record().spec.model_copy(update={"seed": 8})
    assert digest_of(record(spec=other, spec_sha256=other.digest)) != digest_of(record())


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[1]", b"\xff", canonical(record()).replace(b'"seed":7', b'"seed":8')]
)
def test_what_is_no_record_or_was_altered_is_refused(tmp_path, content):
    (tmp_path / "record.json").write_bytes(content)
    with pytest.raises(RecordInvalid) as refused:
        read_record(tmp_path / "record.json")
    assert all(problem.message and problem.remedy for problem in refused.value.problems)


def test_a_record_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RecordInvalid, match="No such file"):
        read_record(tmp_path / "gone.json")

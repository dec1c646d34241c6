"""Knobs are turned and the plan is made anew; sealed data is read and counted once."""

import os
import shutil
from pathlib import Path

import pytest
from sqlalchemy import update

from engagements.phases.data_preparation.versions.models import DatasetVersion

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def previewed(bench):
    """The first run of a plan that is not kept, with these knobs."""

    def made(**knobs):
        base = {"backend": "fake", "model": "tiny", "hyperparameters": {"epochs": 3} | knobs}
        answer = bench.lead.post(f"{bench.home}/experiments/preview", bench.body(base=base))
        assert answer.status_code == 200, answer.text
        return answer.json()["runs"][0]

    return made


@pytest.fixture
def nothing_readable(bench):
    """From now on the sealed splits are gone, and the files that were written of them hold something else."""

    def done():
        shutil.rmtree(Path(bench.house.wiring.settings.storage_url))
        for file in bench.supervisor.parts.folder.iterdir():
            file.write_bytes(b"no JSON")

    return done


def test_a_knob_that_is_turned_reads_no_file(previewed, nothing_readable):
    first = previewed()
    assert first["prediction"]["tokens"] > 0
    nothing_readable()
    second = previewed(learning_rate=1e-3, epochs=6)
    assert second["prediction"]["tokens"] == 2 * first["prediction"]["tokens"]
    assert (second["examples"], second["hyperparameters"]["learning_rate"]) == (first["examples"], 1e-3)


def test_a_plan_that_is_kept_after_a_preview_is_of_the_same_files(bench, previewed):
    previewed()
    files = {file.name: file.read_bytes() for file in bench.supervisor.parts.folder.iterdir()}
    ended = bench.finish(bench.begin())
    assert ended["runs"][0]["state"] == "succeeded"
    assert {file.name: file.read_bytes() for file in bench.supervisor.parts.folder.iterdir()} == files


def test_where_examples_are_cut_they_are_counted_anew(previewed):
    whole, cut = previewed()["prediction"]["tokens"], previewed(max_length=8)["prediction"]["tokens"]
    assert 0 < cut < whole
    assert previewed()["prediction"]["tokens"] == whole


def test_a_file_that_was_taken_away_is_written_again(bench, previewed):
    first, folder = previewed(), bench.supervisor.parts.folder
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    for file in folder.iterdir():
        file.unlink()
    assert previewed()["digest"] == first["digest"]
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_a_file_that_is_looked_at_stays_for_another_day(bench, previewed):
    previewed()
    for file in bench.supervisor.parts.folder.iterdir():
        os.utime(file, (0, 0))
    previewed()
    assert all(file.stat().st_mtime > 0 for file in bench.supervisor.parts.folder.iterdir())


def test_erased_examples_are_not_planned_with_whatever_was_read_before(bench, previewed):
    previewed()
    with bench.house.wiring.store.write() as session:
        session.execute(update(DatasetVersion).values(erased=1))
    answer = bench.lead.post(f"{bench.home}/experiments/preview", bench.body())
    assert (answer.status_code, answer.json()["code"]) == (409, "dataset_incomplete")

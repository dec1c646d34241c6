"""Stages of a job, which moto does not tell."""

from datetime import UTC, datetime

import pytest

from backends.bedrock.progress import curve_of, told
from backends.events import RunState

BEGUN, ENDED = datetime(2026, 11, 23, 9, tzinfo=UTC), datetime(2026, 11, 23, 10, tzinfo=UTC)


def job(status, **stages):
    details = {
        name: {"status": said, "creationTime": BEGUN, "lastModifiedTime": ENDED} for name, said in stages.items()
    }
    return {
        "jobName": "run.1", "jobArn": "arn:job", "status": status, "creationTime": BEGUN.replace(hour=8),
        "statusDetails": details,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("stages", "state"),
    [
        ({"validationDetails": "NotStarted"}, RunState.QUEUED),
        ({"validationDetails": "InProgress"}, RunState.VALIDATING),
        ({"validationDetails": "Completed", "dataProcessingDetails": "InProgress"}, RunState.VALIDATING),
        ({"validationDetails": "Completed", "trainingDetails": "InProgress"}, RunState.RUNNING),
        ({}, RunState.RUNNING),
    ],
)
def test_it_stands_at_the_last_stage_that_began(stages, state):
    assert told(job("InProgress", **stages), (), cursor="").state is state


def test_a_stage_is_told_once_when_it_begins():
    first = told(job("InProgress", validationDetails="InProgress"), (), cursor="")
    assert [each.message for each in first.events] == ["Bedrock took the job", "Bedrock checks the files"]
    later = told(
        job("InProgress", validationDetails="Completed", trainingDetails="InProgress"), (), cursor=first.cursor
    )
    assert [each.message for each in later.events] == ["training begins"]


def test_training_alone_is_what_took_time_where_bedrock_tells_it_apart():
    whole = job("Failed", trainingDetails="Failed") | {"endTime": ENDED.replace(hour=12)}
    assert told(whole, (), cursor="").usage.seconds == 3600.0
    assert told(whole | {"statusDetails": {}}, (), cursor="").usage.seconds == 4 * 3600.0


def test_a_curve_is_read_by_the_names_of_its_columns_and_blanks_are_not_measured():
    training = "training_loss,step_number,epoch_number\n0.5,1,0\n,2,0\nx,,\n"
    points = curve_of(training, "step_number,epoch_number,validation_loss\n2,0,0.7\n9,1,0.6\n")
    assert [(each.step, each.epoch, each.train_loss, each.full_valid_loss) for each in points] == [
        (1, 0.0, 0.5, None), (2, 0.0, None, 0.7), (9, 1.0, None, 0.6),
    ]  # fmt: skip
    assert curve_of("", "") == ()

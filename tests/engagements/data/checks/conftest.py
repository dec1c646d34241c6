"""Records and what is found in them."""

from collections.abc import Callable
from typing import Any

import pytest

from engagements.phases.data_preparation.checks.checking import check_record
from engagements.phases.data_preparation.checks.policy import CheckPolicy
from engagements.phases.data_preparation.records import Origin, Record
from estimator.errors import Severity

Found = dict[str, Severity]


@pytest.fixture
def record() -> Callable[..., Record]:
    """An example with a question and an answer, sound and licensed; keywords as `Record` takes them."""

    def made(question: str = "Where is my parcel?", answer: str = "It will arrive on Monday.", **more: Any) -> Record:
        messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        return Record(**{"id": "r1", "messages": messages, "origin": Origin(source="crm", licence="MIT", row=1)} | more)

    return made


@pytest.fixture
def found() -> Callable[..., Found]:
    """Codes found in a record, with their severities."""

    def codes(record: Record, **policy: Any) -> Found:
        return {finding.code: finding.severity for finding in check_record(record, CheckPolicy(**policy))}

    return codes

"""A file that one request does not take goes to a signed address."""

from datetime import UTC, datetime

import pytest
from wire import Fault, Response

from backends.errors import ProviderRefused, Unreachable
from backends.fireworks.datasets import Placing, dataset_id

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
def placing(case, memory):
    spec = case.spec("run_1")
    return Placing(
        account=case.backend().account, memory=memory, now=NOW, run_id="run_1", where="train", file=spec.train,
        at_once_bytes_max=spec.train.path.stat().st_size - 1,
    )  # fmt: skip


def test_it_is_written_there_without_our_key_and_then_validated(case, placing):
    name = dataset_id("run_1", placing.file)
    assert placing.place() == f"accounts/acme/datasets/{name}"
    assert case.stand_in.contents[name] == placing.file.path.read_bytes()
    wire = case.stand_in.wire
    assert (wire.count("POST", ":upload"), wire.count("PUT", "/signed"), wire.count("POST", ":validateUpload")) == (
        0,
        1,
        1,
    )
    (put,) = [each for each in wire.seen if each.method == "PUT"]
    assert "authorization" not in {each.lower() for each in put.headers}


def test_an_address_that_has_run_out_is_asked_for_anew(case, placing):
    case.stand_in.wire.faults.append(Fault(method="PUT", path="/signed", instead=Response(status=403)))
    with pytest.raises(Unreachable, match="403"):
        placing.place()
    placing.place()
    assert case.stand_in.wire.count("POST", ":getUploadEndpoint") == 2


def test_a_dataset_that_must_be_encrypted_is_left_to_fireworks_own_command(case, placing):
    answer = Response(body=b'{"name": "d", "state": "UPLOADING", "encryptionState": "ENCRYPTION_STATE_CMEK"}')
    case.stand_in.wire.faults.append(Fault(method="GET", path="/datasets", instead=answer))
    with pytest.raises(ProviderRefused, match="ENCRYPTION_STATE_CMEK"):
        placing.place()
    assert case.stand_in.contents == {}

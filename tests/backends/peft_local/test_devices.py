"""Which devices torchrun's processes hold, and that they hold all of them or none."""

import os
import threading

import pytest

from backends.peft_local.folder import taken
from backends.peft_local.worker.devices import all_taken, alone_on, devices_of


@pytest.mark.parametrize(
    ("environment", "on_gpu", "names"),
    [
        ({"LOCAL_WORLD_SIZE": "2"}, False, ["cpu"]),
        ({"LOCAL_WORLD_SIZE": "2"}, True, ["cuda:0", "cuda:1"]),
        ({"LOCAL_WORLD_SIZE": "2", "CUDA_VISIBLE_DEVICES": "2, 5"}, True, ["cuda:2", "cuda:5"]),
        ({}, True, ["cuda:0"]),
    ],
)
def test_locks_are_named_as_those_of_single_runs(environment, on_gpu, names):
    assert devices_of(environment, on_gpu=on_gpu) == names


def test_where_one_device_is_taken_none_is_held(tmp_path):
    locks = [tmp_path / "locks" / name for name in ("cuda:0", "cuda:1")]
    locks[0].parent.mkdir()
    another = taken(locks[1])
    assert all_taken(locks) is None
    os.close(taken(locks[0]))
    os.close(another)
    held = all_taken(locks)
    assert [taken(each) for each in locks] == [None, None]
    for each in held:
        os.close(each)


def test_the_others_of_a_launch_go_on_when_the_first_holds_the_devices_and_not_before(tmp_path):
    lock, passed = tmp_path / "cpu", threading.Event()
    lock.write_text("41")  # left behind by another launch

    def follows():
        with alone_on([lock], leads=False, launcher=42):
            passed.set()

    other = threading.Thread(target=follows)
    other.start()
    assert not passed.wait(0.5)
    with alone_on([lock], leads=True, launcher=42):
        assert passed.wait(20)
        assert taken(lock) is None
    other.join()
    os.close(taken(lock))

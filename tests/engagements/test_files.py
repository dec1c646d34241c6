import os
import stat
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from engagements.files import FileUnwritable, check_targets, write_together, write_whole


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_file_is_written_and_nothing_stays_beside_it(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", b"new")
    assert contents(tmp_path) == {"a": b"new"}


def test_an_older_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"older and longer")
    write_whole(tmp_path / "a", b"new")
    assert contents(tmp_path) == {"a": b"new"}


def test_a_reader_of_the_older_file_reads_on_in_it(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"older")
    with (tmp_path / "a").open("rb") as reader:
        write_whole(tmp_path / "a", b"new")
        assert reader.read() == b"older"


def test_where_one_of_several_cannot_be_written_none_is(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"older")
    with pytest.raises(FileUnwritable) as refusal:
        write_together({tmp_path / "a": b"new", tmp_path / "gone" / "b": b"new"})
    assert contents(tmp_path) == {"a": b"older"}
    (problem,) = refusal.value.problems
    assert problem.where == str(tmp_path / "gone" / "b")
    assert "No such file or directory" in problem.message
    assert problem.remedy


@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
def test_what_is_there_and_is_no_file_is_not_replaced(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "target"
    match kind:
        case "folder":
            target.mkdir()
        case "pipe":
            os.mkfifo(target)
        case _:
            target = Path("/dev/null")
    with pytest.raises(FileUnwritable, match="is no file"):
        write_whole(target, b"new")
    assert not stat.S_ISREG(target.stat().st_mode)


def test_a_link_is_replaced_by_the_file_and_what_it_led_to_is_left(tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"kept")
    (tmp_path / "a").symlink_to("kept")
    write_whole(tmp_path / "a", b"new")
    assert contents(tmp_path) == {"kept": b"kept", "a": b"new"}


@pytest.mark.parametrize("name", ["n" * 300, "gone/a", "file/a"])
def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileUnwritable):
        write_whole(tmp_path / name, b"new")
    with pytest.raises(FileUnwritable):
        check_targets(tmp_path / name)
    assert contents(tmp_path) == {"file": b""}


def test_checking_a_target_leaves_no_trace(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"older")
    check_targets(tmp_path / "a", tmp_path / "b")
    assert contents(tmp_path) == {"a": b"older"}


def test_every_target_in_the_way_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "read").write_bytes(b"")
    (tmp_path / "link").symlink_to("read")
    targets = [tmp_path / "read", tmp_path / "link", tmp_path / "gone" / "a", tmp_path / "free"]
    with pytest.raises(FileUnwritable) as refusal:
        check_targets(*targets, read=[tmp_path / "." / "read", None])
    assert [problem.where for problem in refusal.value.problems] == [str(target) for target in targets[:3]]


def pairs() -> Iterator[Mapping[str, bytes]]:
    for number in range(8):
        yield {"a": b"%d" % number * 50_000, "b": b"%d" % number * 10}


def test_writers_at_once_leave_whole_files_of_one_of_them(tmp_path: Path) -> None:
    def write(pair: Mapping[str, bytes]) -> None:
        for _ in range(10):
            write_together({tmp_path / name: content for name, content in pair.items()})

    writers = [threading.Thread(target=write, args=(pair,)) for pair in pairs()]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert contents(tmp_path) in list(pairs())

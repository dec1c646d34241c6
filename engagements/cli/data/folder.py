"""What `prepare` and `split` share: the options of a split, and the folder that they write."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import reduce
from pathlib import Path
from typing import ParamSpec, TypeVar

import click

from engagements.files import FileUnwritable, check_targets
from engagements.phases.data_preparation.preparing.former import former_split
from engagements.phases.data_preparation.splitting.policy import Previous, Shares, SplitPolicy
from estimator.errors import Problem

P = ParamSpec("P")
R = TypeVar("R")

_OPTIONS = (
    click.option("--seed", type=int, default=7, show_default=True, help="The same seed and files give the same split."),
    click.option("--shares", default="76/12/12", show_default=True, help="Per cent of training, validation and test."),
    click.option(
        "--hold-out", type=click.FloatRange(0, 1, max_open=True), metavar="SHARE", help="Share for test, such as 0.15."
    ),
    click.option("--stratify/--no-stratify", default=True, help="Divide each label in the shares of the whole."),
    click.option(
        "--previous", type=click.Path(path_type=Path, file_okay=False), help="A former output: its examples stay put."
    ),
)


def split_options(command: Callable[P, R]) -> Callable[P, R]:
    """Adds the options of a split to a command."""
    return reduce(lambda wrapped, option: option(wrapped), reversed(_OPTIONS), command)


def policy_of(*, seed: int, shares: str, hold_out: float | None, stratify: bool, previous: Path | None) -> SplitPolicy:
    """Raises `SharesInvalid` and `FormerUnreadable`."""
    asked = Shares.read(shares)
    return SplitPolicy(
        seed=seed, shares=asked if hold_out is None else asked.holding_out(hold_out), stratify=stratify,
        previous=former_split(previous) if previous else Previous(),
    )  # fmt: skip


@contextmanager
def folder_to_write(path: Path, names: Iterable[str] = (), *, read: Iterable[Path] = ()) -> Iterator[None]:
    """The folder to write files of these `names` into; where it was not there and nothing comes of it, it is not there
    afterwards, and neither is a folder above it.

    Raises `FileUnwritable` at once where a file cannot be written, or is one of those that are `read`.
    """
    made = [each for each in (path, *path.parents) if not each.exists()]
    try:
        _make(path)
        check_targets(*(path / name for name in names), read=read)
        yield
    except BaseException:
        for each in made:
            with suppress(OSError):
                each.rmdir()
        raise


def _make(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message, remedy = f"cannot be made: {error.strerror}", "name a folder that can be written"
        problem = Problem(code=FileUnwritable.code, where=str(path), message=message, remedy=remedy)
        raise FileUnwritable(problem) from error

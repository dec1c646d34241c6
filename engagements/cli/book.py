"""The price book of a command: the packaged one, the files of the settings over it, those of `--prices` on top."""

from collections.abc import Sequence
from pathlib import Path

import click

from engagements.settings import read_settings
from estimator.prices import PriceBook

prices_option = click.option(
    "--prices",
    "price_files",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="A price file laid over the packaged book; may be repeated.",
)


def own_price_files(files: Sequence[Path]) -> tuple[Path, ...]:
    """The files over the packaged book, in order. Raises `SettingsInvalid`."""
    return (*read_settings().prices, *files)


def price_book(files: Sequence[Path]) -> PriceBook:
    """Raises `SettingsInvalid`, and `PriceBookInvalid` for a row that cannot be meant."""
    return PriceBook.load(*own_price_files(files))

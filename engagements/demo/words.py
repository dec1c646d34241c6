"""One line of what happened, as the demo says it."""

from decimal import Decimal
from typing import Final

from rich.markup import escape
from rich.padding import Padding
from rich.table import Column, Table

from engagements.cli.output import console

_WIDTH: Final = 15


def title(text: str) -> None:
    """What comes next, between two rules of the page."""
    console.print()
    console.rule(f"[bold]{text}[/]", align="left", style="dim")


def note(who: str, what: str) -> None:
    """`who` is blank where it is who it was before."""
    row = Table.grid(Column(width=_WIDTH), Column(), padding=(0, 1))
    row.add_row(f"[bold]{who}[/]", escape(what))
    console.print(Padding(row, (0, 0, 0, 2), expand=False))


def money(amount: dict[str, str]) -> str:
    return f"{Decimal(amount['amount']):,.2f} {amount['currency']}"


def minor(amount: int | None) -> str:
    return "unknown" if amount is None else f"{Decimal(amount) / 100:,.2f}"

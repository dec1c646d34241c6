"""What differs between two documents that share `print.css`: colours, paper and whether it is a draft.

    <link rel="stylesheet" href="bundle:print.css">
    <style>{{ style | safe }}</style>

`root_rule` writes the one rule for `style`. Its colours are checked by `Palette` and the rest are words of ours, so it
can be printed unescaped; nothing that a user types may ever reach a style sheet.
"""

from enum import StrEnum

from engagements.documents.palette import Palette


class Paper(StrEnum):
    A4 = "A4"
    LETTER = "letter"


class Stage(StrEnum):
    """A draft carries its mark behind every page."""

    DRAFT = "url(bundle:draft.svg)"
    FINAL = "none"


def root_rule(palette: Palette, *, paper: Paper = Paper.A4, stage: Stage = Stage.FINAL) -> str:
    """The `:root` rule that sets the variables of `print.css`."""
    variables = {
        "accent": palette.accent,
        "strong": palette.strong,
        "tint": palette.tint,
        "ink": palette.ink,
        "muted": palette.muted,
        "line": palette.line,
        "paper": paper,
        "watermark": stage,
    }
    return ":root{" + ";".join(f"--{name}:{value}" for name, value in variables.items()) + "}"

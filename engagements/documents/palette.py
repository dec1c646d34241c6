"""The colours of a document: one accent, given by the agency, and what follows from it."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

_HEX: Final = re.compile("#[0-9a-f]{6}", re.ASCII)
WHITE: Final = "#ffffff"
BLACK: Final = "#000000"
# WCAG 2.2, success criterion 1.4.3: the least contrast of body text.
TEXT_CONTRAST: Final = 4.5
# Light enough to end a ramp that still stands out from paper, dark enough to print.
_LIGHTEST: Final = 0.68
SERIES_SHADES: Final = 4


@dataclass(frozen=True, kw_only=True)
class Palette:
    """Colours as lower-case `#rrggbb`. Raises ValueError for anything else, and for ink that cannot be read."""

    accent: str = "#0f5c63"
    ink: str = "#1b2730"
    muted: str = "#56626c"
    line: str = "#d3d9de"

    def __post_init__(self) -> None:
        for name in ("accent", "ink", "muted", "line"):
            if not _HEX.fullmatch(getattr(self, name)):
                raise ValueError(f"{name} is written as # and six lower-case hexadecimal digits, like #0f5c63")
        for name in ("ink", "muted"):
            if contrast(getattr(self, name), self.tint) < TEXT_CONTRAST:
                raise ValueError(f"{name} {getattr(self, name)} is too light to be read on paper")

    @cached_property
    def strong(self) -> str:
        """The accent, darkened as far as text in it needs, on paper and on the tint."""
        # Two hundredths more than asked, because colours come in steps of 1/255.
        enough = (luminance(self.tint) + 0.05) / (1.02 * TEXT_CONTRAST) - 0.05
        return self.accent if luminance(self.accent) <= enough else shade(self.accent, enough)

    @cached_property
    def tint(self) -> str:
        """The faint ground of callouts and marked columns."""
        return mix(self.accent, WHITE, 0.07)

    @cached_property
    def series(self) -> tuple[str, ...]:
        """Shades of the accent from dark to light, each as far from the next in greyscale."""
        darkest = luminance(self.strong) + 0.05
        step = ((_LIGHTEST + 0.05) / darkest) ** (1 / (SERIES_SHADES - 1))
        lighter = (shade(self.accent, darkest * step**index - 0.05) for index in range(1, SERIES_SHADES))
        return (self.strong, *lighter)


def luminance(colour: str) -> float:
    """Relative luminance, 0 black to 1 white (WCAG 2.2, definitions)."""
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio, 1 to 21 (WCAG 2.2, definitions)."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def readable_on(ground: str) -> str:
    """White or black: one of them has a contrast of 4.5 or more with any colour."""
    return max((WHITE, BLACK), key=lambda text: contrast(text, ground))


def mix(colour: str, other: str, share: float) -> str:
    """`share` of `colour`, the rest of `other`."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)


def shade(colour: str, target: float) -> str:
    """The colour mixed with white or black until its luminance is `target`."""
    other = WHITE if luminance(colour) < target else BLACK
    low, high = 0.0, 1.0
    for _ in range(20):
        share = (low + high) / 2
        if (luminance(mix(colour, other, share)) < target) == (other == WHITE):
            high = share
        else:
            low = share
    return mix(colour, other, high if other == WHITE else low)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _linear(channel: float) -> float:
    return float(channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4)

"""What a file is called that somebody sends: a label, never a path."""

import re
import unicodedata
from typing import Final

from engagements.core.errors import EngagementError

NAME_MAX: Final = 255
_UNNAMED: Final = "upload.jsonl"
_CONTROLS: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
# Unicode's bidirectional controls (UAX 9): they make one name read as another.
_TURNS: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Names that stand for devices on Windows, whatever follows the dot.
_RESERVED: Final = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")


class FilenameInvalid(EngagementError):
    code, status = "filename.invalid", 422


def label_of(name: str) -> str:
    """The last part of a name that came as a path of any system.

    What names nothing, is hidden or is reserved becomes `upload.jsonl`. Raises `FilenameInvalid` for control and
    direction characters, and for a name of more than 255 characters.
    """
    if any(unicodedata.category(char) in _CONTROLS or char in _TURNS for char in name):
        remedy = "give the file a name of letters, digits and signs"
        raise FilenameInvalid("the name holds control or direction characters", remedy=remedy)
    label = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1]).strip()
    if len(label) > NAME_MAX:
        raise FilenameInvalid(f"the name has {len(label)} characters", remedy=f"at most {NAME_MAX} are kept")
    return _UNNAMED if not label or label.startswith(".") or _RESERVED.fullmatch(label) else label

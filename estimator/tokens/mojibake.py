"""Text that was read in the wrong encoding at some point ("naÃ¯ve", "donâ€™t")."""

import re
from typing import Final

# What UTF-8 looks like after it was read as Windows-1252: a lead byte, then what continuation bytes look like there.
_CONTINUATION: Final = "\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_MISREAD: Final = re.compile(
    f"[ÂÃ][{_CONTINUATION}]|[ÄÅ][¡-ª¬-º¼-¿ŒŠŽšžŸ™]|â[{_CONTINUATION}]{{2}}|ï[¼½¾¿][{_CONTINUATION}]|ð[{_CONTINUATION}]{{3}}"
    f"|á[¸¹º»][{_CONTINUATION}]|(?:[ÎÏÐÑ×ØÙ][{_CONTINUATION}]){{3}}|(?:[ã-é][{_CONTINUATION}]{{2}}){{2}}"
)
# The same after Mac Roman, Windows-1251 and Windows-1250, and control characters that only a wrong decoder leaves.
_MISREAD_ELSEWHERE: Final = re.compile(
    "[A-Za-z]√[©®†°±≥¥µ∂∏ªº¿¡¬´¨≠ß§•¶¢]|√[©®†°±≥¥µ∂∏ªº¿¡¬´¨≠ß§•¶¢][a-z]|‚Ä[ôúùìîò¶]"
    "|вЂ[™њќ“”¦ў]|(?:[РС][ЂЃѓЉЊЌЋЏђљњќћџЎўЈҐЁЄЇІіґёєјЅѕї°±µ¶·№¦§©«¬®‚„…†‡€‰‹‘’“”•–—™›]){2}|Ă[¨©´ˇ¤¶¬®§Ľ\u00ad]|[\u0080-\u0084\u0086-\u009f]"
)

# What is misread leaves two characters beyond ASCII side by side that are not two small letters, or one of a few alone.
_TELLING: Final = re.compile("[^\x00-\x7f](?:[^\x00-\x7f](?<![ß-öø-ÿ]{2})|(?<=[\u0080-\u009fÂÃŒœ\ufffd]))")


def may_be_misread(text: str) -> bool:
    """Whether it is worth looking closer: nothing is found, here or by ftfy, in a text for which this is false."""
    return _TELLING.search(text) is not None


def mojibake(text: str) -> str | None:
    """Text that was decoded in the wrong encoding, or holds the mark of characters already lost."""
    if not may_be_misread(text):
        return None
    if "\ufffd" in text:
        return "U+FFFD in the text: characters were lost"
    if _MISREAD_ELSEWHERE.search(text) or any(_was_utf8(match.group()) for match in _MISREAD.finditer(text)):
        return "letters were read in the wrong encoding"
    return None


def _was_utf8(text: str) -> bool:
    """Whether the characters, written as Windows-1252 or Latin-1 bytes, are UTF-8."""
    raw = b"".join(_byte_of(character) for character in text)
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _byte_of(character: str) -> bytes:
    try:
        return character.encode("cp1252")
    except UnicodeEncodeError:
        return character.encode("latin-1")

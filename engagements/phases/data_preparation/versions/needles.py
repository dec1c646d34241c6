"""Texts that are looked for wherever they may stand: in any case, composed or not, escaped, in any usual encoding."""

import codecs
import json
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Final
from xml.sax.saxutils import escape

_PIECE_BYTES: Final = 1024 * 1024
_UNPACKED_MAX_BYTES: Final = 1024 * 1024 * 1024
"""Of an archive; one that unpacks to more is refused by every reader, so nothing was ever made of it."""
_ENCODINGS: Final = ("utf-8", "cp1252")
_WIDE_ENCODINGS: Final = ("utf-16-le", "utf-16-be")


class Needles:
    """The texts, as they may stand in data."""

    def __init__(self, texts: Iterable[str]) -> None:
        forms = {unicodedata.normalize(form, text.strip()) for text in texts for form in ("NFC", "NFD")}
        self._forms = {variant.casefold() for form in forms for variant in (form, *_escaped(form))}
        self._longest = max(map(len, self._forms), default=0)

    def __bool__(self) -> bool:
        return bool(self._forms)

    def are_in(self, text: str) -> bool:
        folded = text.casefold()
        return any(form in folded for form in self._forms)

    def are_in_pieces(self, pieces: Iterable[bytes]) -> bool:
        """Of a file of text in whatever encoding, valid or not."""
        reading = iter(pieces)
        first = next(reading, b"")
        names = (*_ENCODINGS, *_WIDE_ENCODINGS) if b"\0" in first else _ENCODINGS
        decoders = [codecs.getincrementaldecoder(name)("replace") for name in names]
        tails = [""] * len(decoders)
        for piece in chain((first,), reading):
            for place, decoder in enumerate(decoders):
                text = tails[place] + decoder.decode(piece)
                if self.are_in(text):
                    return True
                tails[place] = text[-2 * self._longest :]
        return False

    def are_in_file(self, path: Path) -> bool:
        """As its bytes stand, and in what it packs where it is an archive, as spreadsheets are."""
        with path.open("rb") as file:
            if self.are_in_pieces(_pieces(file)):
                return True
        return zipfile.is_zipfile(path) and self._are_packed_in(path)

    def _are_packed_in(self, path: Path) -> bool:
        try:
            with zipfile.ZipFile(path) as archive:
                members = archive.infolist()
                if sum(member.file_size for member in members) > _UNPACKED_MAX_BYTES:
                    return False
                return any(self._are_in_member(archive, member) for member in members)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError):
            return False

    def _are_in_member(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bool:
        with archive.open(member) as file:
            return self.are_in_pieces(_pieces(file))


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_PIECE_BYTES):
        yield piece


def _escaped(text: str) -> tuple[str, ...]:
    return json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], escape(text)

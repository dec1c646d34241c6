"""Run by path: copies its input into a file until the file has a length, says so there once, and reads on to the end.

A process of its own, so that neither a death of the trainer nor one of ours loses what was said last.
"""

import os
import sys

MARK = b"\n[cut here: the rest was left out]\n"


def copy(path: str, most: int) -> None:
    out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    room = max(0, most - os.fstat(out).st_size)
    marked = room == 0
    while piece := os.read(0, 65536):
        try:
            os.write(out, piece[:room])
            if len(piece) > room and not marked:
                os.write(out, MARK)
                marked = True
        except OSError:
            # A full disk: the trainer must not wait for a reader that is gone.
            room = 0
        room = max(0, room - len(piece))


if __name__ == "__main__":
    copy(sys.argv[1], int(sys.argv[2]))

"""Chinese text broken into lines: no line begins with a closing mark, and what is written in ASCII stays together."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_NEVER_FIRST = frozenset("，。、；：！？）〕】》」』”’")
_BLANK = " "
_PIECE = re.compile(r"[!-~]+|.", re.DOTALL)


def broken(text: str, width: float, measure: Callable[[str], float]) -> list[str]:
    """``text`` in lines no wider than ``width`` as ``measure`` has it. A line of one piece is not broken for the sake
    of a closing mark after it."""
    lines: list[list[str]] = [[]]
    for piece in _pieces(text, width, measure):
        line = lines[-1]
        if not line or measure("".join((*line, piece))) <= width:
            line.append(piece)
            continue
        carried = _carried(line) if piece in _NEVER_FIRST else []
        if measure("".join((*carried, piece))) > width:
            carried = []
        del line[len(line) - len(carried) :]
        lines.append([*carried, piece] if piece != _BLANK else [])
    return ["".join(line) for line in lines]


def _carried(line: Sequence[str]) -> list[str]:
    """The end of a line that goes down together with a closing mark; empty where nothing would be left of the line."""
    start = len(line) - 1
    while start > 0 and (line[start] in _NEVER_FIRST or line[start] == _BLANK):
        start -= 1
    return list(line[start:]) if start > 0 else []


def _pieces(text: str, width: float, measure: Callable[[str], float]) -> list[str]:
    """Characters and ASCII words; a word too long for any line falls into characters."""
    pieces: list[str] = []
    for piece in _PIECE.findall(text):
        pieces.extend([piece] if measure(piece) <= width else piece)
    return pieces

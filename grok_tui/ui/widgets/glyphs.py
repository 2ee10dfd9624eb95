"""Texts as cells: letters of two cells, and letters with marks, each in the cells that a terminal gives them. Pure.

A cell holds a number: a letter's own; REST, where the letter before it goes on; or beyond it, one for each letter with
marks that was met. What terminals do not agree upon is not sent: the joiners and colours that make one picture of
several emoji, and the choice of how an emoji is drawn. Each emoji then stands by itself, two cells wide everywhere.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len

REST = 0x110000
"""In the second cell of a letter that is two cells wide."""

_MARKED: list[str] = []
_NUMBERS: dict[str, int] = {}
"""Letters with marks, and their numbers less REST + 1."""

_WIDE: set[int] = set()
"""Numbers of all that were met and are not one letter of one cell: most screens show none, and are drawn faster."""

_NARROW: set[str] = set()
"""Letters of one cell that were met: charts and maps draw thousands of a few of them at each look."""

_MOST = 4096
"""Letters with marks that are told apart; more than any notes have."""

_MARKS = 4
"""Marks on one letter: real words have two."""

_UNSETTLED = frozenset(range(0xFE00, 0xFE10)) | frozenset(range(0x1F3FB, 0x1F400))
"""Selectors of how a letter is drawn, and skin colours."""


def size(text: str) -> int:
    """The cells that a text takes."""
    return len(text) if _plain(text) else sum(width for _, width in _letters(text))


def head(text: str, width: int) -> str:
    """As much of the beginning as `width` cells hold."""
    if _plain(text):
        return text[:width]
    kept = []
    for letter, cells in _letters(text):
        width -= cells
        if width < 0:
            break
        kept.append(letter)
    return "".join(kept)


def codes(text: str) -> NDArray[np.uint32]:
    """The numbers of a text's cells."""
    if _plain(text):
        return np.frombuffer(text.encode("utf-32-le"), np.uint32)
    found: list[int] = []
    for letter, width in _letters(text):
        number = ord(letter) if len(letter) == 1 else _number(letter)
        if width > 1 or number > REST:
            _WIDE.add(number)
        found += [number, *[REST] * (width - 1)]
    return np.array(found, np.uint32)


def texts(cells: NDArray[np.uint32]) -> str | list[str]:
    """What stands in each cell: nothing in the second of a wide letter, a blank for half of one."""
    if not _WIDE or not bool(np.isin(cells, list(_WIDE)).any() or cells.max(initial=0) >= REST):
        return str(cells.tobytes(), "utf-32-le")
    found: list[str] = []
    numbers = cells.tolist()
    for at, number in enumerate(numbers):
        letter = " " if number == REST else chr(number) if number < REST else _MARKED[number - REST - 1]
        goes_on = at + 1 < len(numbers) and numbers[at + 1] == REST
        if number == REST and found and found[-1] and cell_len(found[-1]) == 2:
            letter = ""
        elif cell_len(letter) == 2 and not goes_on:
            letter = " "  # its other half was written over, or is cut off
        found.append(letter)
    return found


def _plain(text: str) -> bool:
    """Each of its letters is one cell."""
    if not text.isprintable() or text.isascii() or _NARROW.issuperset(text):
        return text.isprintable()
    if len(_NARROW) < _MOST:
        _NARROW.update(letter for letter in text if cell_len(letter) == 1)
    return all(cell_len(letter) == 1 for letter in text)


@lru_cache(1024)
def _letters(text: str) -> tuple[tuple[str, int], ...]:
    """The letters with the marks on them, and how many cells each takes; what cannot be shown is "?"."""
    found: list[tuple[str, int]] = []
    for letter in unicodedata.normalize("NFC", text):
        if ord(letter) in _UNSETTLED or unicodedata.category(letter) == "Cf":
            continue
        width = cell_len(letter) if letter.isprintable() else -1
        if width == 0 and found and len(found[-1][0]) <= _MARKS:
            found[-1] = found[-1][0] + letter, found[-1][1]
        elif width:
            found.append((letter, width) if width > 0 else ("?", 1))
    return tuple(found)


def _number(letter: str) -> int:
    if letter not in _NUMBERS:
        if len(_MARKED) >= _MOST:
            return ord(letter[0])  # without its marks
        _NUMBERS[letter] = REST + 1 + len(_MARKED)
        _MARKED.append(letter)
    return _NUMBERS[letter]

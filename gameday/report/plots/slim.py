"""Makes SVG texts of matplotlib short: a page that holds ten pictures is mailed, attached and opened on a phone.

The rule that surprises: positions are rounded first and told as distances of the rounded ones, so rounding never adds up along a line.
"""

from __future__ import annotations

import re
from typing import Final

_NUMBER: Final = re.compile(r"scale\([^)]*\)|-?\d+\.\d{3,}")
_PATH: Final = re.compile(r' d="([MLz\d\s.\-]+)"')
_STEP: Final = re.compile(r"([ML])\s+(-?[\d.]+)\s+(-?[\d.]+)|z")
_CURVE: Final = re.compile(r' d="([A-Za-z\d\s.\-]+)"')
_AFTER_LETTER: Final = re.compile(r"\s*([A-Za-z])\s*|\s+(?=-)|\s+$|(\s)\s+")
_LETTER_ONLY: Final = r"\1\2"
_ID: Final = re.compile(r' id="([^"]+)"')
_REFERENCE: Final = re.compile(r"#([\w.-]+)")
_BETWEEN_TAGS: Final = re.compile(r">\s+<")
_TENTHS: Final = 10
"""Positions in paths are told to a tenth of a point, a seventh of a pixel on a full page; all other numbers to a hundredth."""


def slim(svg: str) -> str:
    """The same picture in fewer letters: paths of straight lines as distances, horizontal and vertical ones as one number; no names that
    nobody uses, no indentation. All text is paths, so nothing that is read is between tags.
    """
    named = set(_REFERENCE.findall(svg))
    shorter = _ID.sub(lambda found: found[0] if found[1] in named else "", svg)
    shorter = _PATH.sub(lambda found: f' d="{_distances(found[1])}"', shorter)
    shorter = _CURVE.sub(lambda found: f' d="{_AFTER_LETTER.sub(_LETTER_ONLY, found[1])}"', shorter)
    return _BETWEEN_TAGS.sub("><", _NUMBER.sub(_hundredths, shorter))


def _hundredths(found: re.Match[str]) -> str:
    """A number to a hundredth; the scales of letters are small, and stay."""
    text = found[0]
    return text if text.startswith("scale") else _number(round(float(text) * 100), 100)


def _distances(path: str) -> str:
    parts: list[str] = []
    x = y = 0
    for step in _STEP.finditer(path):
        if step[1] is None:
            parts.append("z")
            continue
        new_x, new_y = (round(float(text) * _TENTHS) for text in (step[2], step[3]))
        across, down = new_x - x, new_y - y
        x, y = new_x, new_y
        if step[1] == "M":
            parts.append(f"M{_number(x)} {_number(y)}")
        elif not down:
            parts.append(f"h{_number(across)}" if across else "")
        elif not across:
            parts.append(f"v{_number(down)}")
        else:
            second = _number(down)
            parts.append(f"l{_number(across)}{'' if second.startswith('-') else ' '}{second}")
    return "".join(parts)


def _number(parts: int, of: int = _TENTHS) -> str:
    """A number of tenths in its shortest form; a path that ends where it began still has a point."""
    text = f"{parts / of:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text

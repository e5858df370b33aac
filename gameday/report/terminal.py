"""What a terminal can show: its width, whether it takes colours, and whether its encoding has more than ASCII.

The rule that surprises: colours go to a terminal only, and never when NO_COLOR is set to anything (no-color.org) or TERM is `dumb`.
"""

from __future__ import annotations

import os
import shutil
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Final, TextIO

_COLOURS: Final = {"P": "32", "S": "36", "M": "33", "U": "31", "UNKNOWN": "35", "met": "32", "missed": "31", "unknown": "35"}
_COLOURS_OF_VERDICTS: Final = {"better": "32", "worse": "31", "unclear": "35", "same": "2"}
_ASCII: Final = str.maketrans(
    {"\N{EN DASH}": "-", "\N{HORIZONTAL ELLIPSIS}": "...", "\N{NO-BREAK SPACE}": " ", "\N{BOX DRAWINGS LIGHT HORIZONTAL}": "-"}
)


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where text goes."""

    width: int = 100
    colours: bool = False
    unicode: bool = True

    @classmethod
    def of(cls, stream: TextIO) -> Terminal:
        """What the stream can show; a file or a pipe is 100 columns wide and takes no colours."""
        on_terminal = stream.isatty()
        width = shutil.get_terminal_size((100, 24)).columns if on_terminal else 100
        colours = on_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        try:
            "\N{HORIZONTAL ELLIPSIS}\N{BOX DRAWINGS LIGHT HORIZONTAL}".encode(stream.encoding or "ascii")
        except (UnicodeEncodeError, LookupError):
            return cls(max(40, min(width, 140)), colours, unicode=False)
        return cls(max(40, min(width, 140)), colours, unicode=True)

    def text(self, text: str) -> str:
        """The text, in ASCII where there is nothing else; control characters become spaces."""
        shown = "".join(" " if unicodedata.category(one) in {"Cc", "Cf", "Cs"} else one for one in text)
        return shown if self.unicode else shown.translate(_ASCII).encode("ascii", "replace").decode()

    def paint(self, text: str, word: str) -> str:
        """The text in the colour of a grade, an outcome or a verdict."""
        code = {**_COLOURS, **_COLOURS_OF_VERDICTS}.get(word)
        return f"\x1b[{code}m{text}\x1b[0m" if self.colours and code else text

    def bold(self, text: str) -> str:
        """The text in bold."""
        return f"\x1b[1m{text}\x1b[0m" if self.colours else text

    def line(self) -> str:
        """A line across."""
        return ("\N{BOX DRAWINGS LIGHT HORIZONTAL}" if self.unicode else "-") * self.width

    def wrapped(self, text: str, indent: str = "") -> list[str]:
        """The text in lines of at most the width."""
        return wrap(self.text(text), self.width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False) or [""]


def columns(text: str) -> int:
    """Columns a text takes; wide letters (Chinese, Japanese, emoji) take two, marks that join a letter none."""
    return sum(0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def cut(text: str, width: int, ellipsis: str) -> str:
    """The text, cut with an ellipsis where it is wider than `width` columns."""
    if columns(text) <= width:
        return text
    kept = ""
    for one in text:
        if columns(kept + one) > width - len(ellipsis):
            break
        kept += one
    return kept.rstrip() + ellipsis


def table(terminal: Terminal, rows: Sequence[Sequence[str]], paint: int | None = None, last_takes_rest: bool = True) -> list[str]:
    """Aligned columns two spaces apart; the last column is cut to what is left of the width. `paint` is a column of grades."""
    if not rows:
        return []
    shown = [[terminal.text(cell) for cell in row] for row in rows]
    widths = [max(columns(row[i]) for row in shown) for i in range(len(shown[0]))]
    if last_takes_rest:
        used = sum(width + 2 for width in widths[:-1])
        widths[-1] = max(8, min(widths[-1], terminal.width - used))
        over = used + widths[-1] - terminal.width
        if over > 0:
            widest = max(range(len(widths)), key=widths.__getitem__)
            widths[widest] = max(8, widths[widest] - over)
    lines = []
    for row, original in zip(shown, rows, strict=True):
        cells = []
        for i, cell in enumerate(row):
            text = cut(cell, widths[i], "\N{HORIZONTAL ELLIPSIS}" if terminal.unicode else "...")
            padded = text + " " * max(0, widths[i] - columns(text))
            cells.append(terminal.paint(padded, original[i]) if i == paint else padded)
        lines.append("  ".join(cells).rstrip())
    return lines

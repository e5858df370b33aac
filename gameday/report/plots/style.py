"""How pictures look, and how they become SVG or PNG: one palette, one font, the same bytes for the same data.

The rule that surprises: ids inside an SVG get a prefix, because several pictures share one page and ids on a page are unique.
Only `Figure` and its canvases are used, never pyplot, which keeps global state.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any, Final

from gameday.report.plots.slim import slim

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLACK: Final = "#000000"
ORANGE: Final = "#E69F00"
SKY: Final = "#56B4E9"
GREEN: Final = "#009E73"
YELLOW: Final = "#F0E442"
BLUE: Final = "#0072B2"
VERMILLION: Final = "#D55E00"
PURPLE: Final = "#CC79A7"
"""The palette of Okabe and Ito (2008), told apart with every kind of colour vision."""
INK: Final = "#1b1f24"
GREY: Final = "#6b7280"
FAINT: Final = "#d9dde3"
PALE: Final = "#f3f4f6"
IMPACT: Final = "#fbe3d6"
"""Background of the time in which users were hurt."""

WIDTH_IN: Final = 12.5
"""Width of every picture that fills the page, inches."""
TEXT_PT: Final = 9.5
SMALL_PT: Final = 8.5
TITLE_PT: Final = 11.0

_TICK_STEPS_S: Final = (
    *(0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800),
    *(3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800),
)
_SETTINGS: Final[Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": TEXT_PT,
    "text.color": INK,
    "text.usetex": False,
    "text.parse_math": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlesize": TITLE_PT,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": False,
    "axes.linewidth": 0.8,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": SMALL_PT,
    "ytick.labelsize": SMALL_PT,
    "legend.frameon": False,
    "legend.fontsize": SMALL_PT,
    "hatch.linewidth": 0.6,
    "svg.fonttype": "path",
    "svg.hashsalt": "gameday",
    "path.simplify": True,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "savefig.bbox": None,
}


@contextmanager
def drawing() -> Iterator[None]:
    """The settings under which pictures are made and written; the caller's own are back afterwards."""
    from matplotlib import rc_context

    with rc_context(_SETTINGS):
        yield


def new_figure(height_in: float, width_in: float = WIDTH_IN) -> Figure:
    """An empty figure with a canvas that can measure text; call it inside `drawing()`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), dpi=100)
    FigureCanvasAgg(figure)
    return figure


def svg(figure: Figure, key: str, title: str, description: str) -> str:
    """The figure as an SVG element for a page; `key` (letters and dashes) makes its ids unique on the page."""
    buffer = io.StringIO()
    with drawing():
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = buffer.getvalue()
    text = slim(text[text.index("<svg") :])
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{key}-\1"', text)
    text = re.sub(r'xlink:href="#([^"]+)"', rf'xlink:href="#{key}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{key}-\1)", text)
    opening, rest = text.split(">", 1)
    names = f' role="img" aria-labelledby="{key}-title {key}-desc" preserveAspectRatio="xMidYMid meet"'
    words = f'<title id="{key}-title">{escape(title)}</title><desc id="{key}-desc">{escape(description)}</desc>'
    return f"{opening}{names}>{words}{rest}".strip() + "\n"


def svg_file(figure: Figure, title: str, description: str) -> bytes:
    """The figure as an SVG file of its own."""
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + svg(figure, "picture", title, description).encode()


def png(figure: Figure, dots_per_inch: int = 110) -> bytes:
    """The figure as PNG."""
    buffer = io.BytesIO()
    with drawing():
        figure.savefig(buffer, format="png", dpi=dots_per_inch, metadata={"Software": None})
    return buffer.getvalue()


def time_ticks(start_s: float, end_s: float, most: int = 12) -> tuple[list[float], list[str], str]:
    """Ticks of a time axis, their labels, and the way they are written (`m:ss`, `h:mm`), at most `most` of them."""
    span = max(end_s - start_s, 1e-3)
    step = next((s for s in _TICK_STEPS_S if span / s <= most - 1), span)
    first = -(-start_s // step)
    ticks = [(first + i) * step for i in range(int((end_s - first * step) / step + 1e-9) + 1)]
    if step < 1:
        return ticks, [f"{tick:.1f}" for tick in ticks], "s"
    if end_s > 5400 and step >= 60:
        return ticks, [f"{int(tick) // 3600}:{int(tick) // 60 % 60:02d}" for tick in ticks], "h:mm"
    return ticks, [f"{int(tick) // 60}:{int(tick) % 60:02d}" for tick in ticks], "m:ss"


def time_axis(axes: Axes, start_s: float, end_s: float, *, label: bool = True, most: int = 12) -> None:
    """Make x the time from the start of the run."""
    ticks, texts, written = time_ticks(start_s, end_s, most)
    axes.set_xlim(start_s, end_s)
    axes.set_xticks(ticks, texts if label else [""] * len(ticks))
    if label:
        axes.set_xlabel(f"time from the start of the run ({written})", fontsize=SMALL_PT, color=GREY)


def shade(axes: Axes, spans: list[tuple[float, float]]) -> None:
    """Shade the time in which users were hurt."""
    for start_s, end_s in spans:
        axes.axvspan(start_s, end_s, color=IMPACT, linewidth=0, zorder=0)


def empty(text: str, width_in: float = WIDTH_IN) -> Figure:
    """A picture that says why there is nothing to show."""
    with drawing():
        figure = new_figure(0.8, width_in)
        figure.text(0.5, 0.5, text, ha="center", va="center", color=GREY, fontsize=TEXT_PT)
    return figure

"""Single requests as waterfalls: when each attempt waited, held its slot, and when its caller had gone, as parts of the request's time.

The rule that surprises: the scale ends with the fate of the request. Work that went on for nobody after that is told in words only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gameday.report.words import LOST_WORDS
from gameday.traces import AT_ONCE, LOST_AFTER_ANSWER, Attempt, Trace, culprit, headline

MOST_ATTEMPTS: Final = 14
"""Lines of one waterfall."""
MOST_SHOWN: Final = 12
"""Requests in a report."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of the track, both in percent of its width."""

    left: float
    width: float
    what: str
    """`trip`: on the way; `wait`, `work`, or `void`: when nobody waited for it any more."""


@dataclass(frozen=True, slots=True)
class Line:
    """One attempt."""

    depth: int
    where: str
    told: str
    """What its caller made of it, and what it did, in words."""
    fate: str
    died: bool
    """Whether it is the one the request died of."""
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Waterfall:
    """One request."""

    title: str
    began: float
    sentence: str
    took_s: float
    lines: tuple[Line, ...]
    left_out: int


def examples(traces: Iterable[Trace], since_s: float = 0.0) -> list[Trace]:
    """Those that explain an outage: of each class the slowest that was answered, and for each reason of loss one that died of it."""
    slowest: dict[str, Trace] = {}
    lost: dict[str, Trace] = {}
    for trace in traces:
        if trace.began < since_s:
            continue
        if trace.lost:
            lost.setdefault(trace.outcome, trace)
        elif trace.request_class not in slowest or trace.latency_s > slowest[trace.request_class].latency_s:
            slowest[trace.request_class] = trace
    return [*lost.values(), *slowest.values()]


def waterfalls(traces: Sequence[Trace], since_s: float = 0.0) -> list[Waterfall]:
    """The examples among these traces, drawn."""
    return [waterfall(trace) for trace in examples(traces, since_s)[:MOST_SHOWN]]


def waterfall(trace: Trace) -> Waterfall:
    """One request; of one with many attempts the first, and always the one it died of."""
    died = culprit(trace) if trace.lost and trace.outcome != LOST_AFTER_ANSWER else None
    depths: list[int] = []
    lines = []
    for attempt in trace.attempts:
        depths.append(0 if attempt.parent is None else depths[attempt.parent] + 1)
        lines.append(_line(trace, attempt, depths[-1], attempt is died))
    kept = lines[:MOST_ATTEMPTS]
    if not any(line.died for line in kept):
        kept += [line for line in lines[MOST_ATTEMPTS:] if line.died][:1]
    return Waterfall(_title(trace), trace.began, headline(trace), trace.latency_s, tuple(kept), len(lines) - len(kept))


def _title(trace: Trace) -> str:
    if not trace.lost:
        return f"{trace.request_class}: the slowest that was answered in time"
    reason = trace.outcome.lower()
    return f"{trace.request_class}: {reason.replace('_', ' ')} ({LOST_WORDS.get(reason, 'a reason of its own')})"


def _line(trace: Trace, attempt: Attempt, depth: int, died: bool) -> Line:
    where = attempt.instance or f"{attempt.edge} (never left)"
    where += f", try {attempt.number + 1}" if attempt.number else ""
    fate = attempt.outcome.lower().replace("_", " ") or "unanswered"
    parts = [f"sent {attempt.sent - trace.began:.3f} s after the request came"]
    if attempt.started is not None:
        parts.append(f"waited {attempt.wait_s:.3f} s")
        parts.append("still held its slot" if attempt.left is None else f"held its slot {attempt.left - attempt.started:.3f} s")
    elif attempt.service:
        parts.append("never given a slot")
    if attempt.settled is not None:
        parts.append(f"its caller knew after {attempt.settled - attempt.sent:.3f} s")
    return Line(depth, where, ", ".join(parts), fate, died, tuple(_bars(trace, attempt)))


def _bars(trace: Trace, attempt: Attempt) -> Iterable[Bar]:
    """Waiting, work, and what of both nobody waited for."""
    gone = trace.ended if attempt.settled is None else attempt.settled
    over = gone if attempt.left is None else attempt.left
    begun = over if attempt.started is None else attempt.started
    for what, start, end in (
        ("trip" if attempt.started is None and attempt.outcome in AT_ONCE else "wait", attempt.sent, min(begun, gone)),
        ("work", begun, min(over, gone)),
        ("void", max(gone, attempt.sent), over),
    ):
        left, right = (
            100.0 * (min(max(t, trace.began), trace.ended) - trace.began) / (trace.latency_s or 1.0) for t in (start, end)
        )
        if right - left > 0.05:
            yield Bar(round(left, 1), round(right - left, 1), what)

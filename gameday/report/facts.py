"""What the record of a run says, put together for people: windows, traffic, latency, lost requests by reason, messages.

The rule that surprises: everything here is recomputed from the timeline and the series, never from the scores, so a report shows
where the two disagree; counts begin after the warm-up, as the judgement does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gameday.report.words import SHED_REASONS
from gameday.timeline import Event, SeriesSet, Timeline

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gameday.report.plots.latency import LatencyPanel
    from gameday.report.plots.traffic import TrafficPanel
    from gameday.scenario.model import Scenario

    Floats = NDArray[np.float64]

_SAMPLE_S: Final = 5.0
"""Latencies are sampled every five seconds."""
_MOST_POINTS: Final = 600
"""Points of a line in a picture; more cannot be told apart."""


@dataclass(frozen=True, slots=True)
class LostRow:
    """Requests lost for one reason, by class."""

    reason: str
    by_class: Mapping[str, int]

    @property
    def total(self) -> int:
        """Over all classes."""
        return sum(self.by_class.values())


@dataclass(frozen=True, slots=True)
class Accounts:
    """What became of the requests after the warm-up, counted in the run that is shown."""

    offered: Mapping[str, int]
    good: Mapping[str, int]
    rows: tuple[LostRow, ...]

    @property
    def lost(self) -> int:
        """Requests lost: the sum over all reasons."""
        return sum(row.total for row in self.rows)

    def lost_of(self, request_class: str) -> int:
        """Requests of one class lost."""
        return sum(row.by_class.get(request_class, 0) for row in self.rows)

    @property
    def open(self) -> int:
        """Offered, and neither answered nor lost: what was under way at the end, less what was under way after the warm-up."""
        return sum(self.offered.values()) - sum(self.good.values()) - self.lost


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One message that was published."""

    t: float
    after_declaration_s: float | None
    """Since its own incident was declared; None when it was not declared before."""
    audience: str
    phase: str
    channel: str
    author: str
    role: str
    approvals: tuple[str, ...]
    text: str


def run_end(timeline: Timeline, planned_s: float) -> float:
    """Seconds at which the run ended: when it says so, else the planned end or the last event, whichever is later."""
    ended = timeline.first("run.ended") or timeline.first("run.aborted")
    if ended is not None:
        return ended.t
    return max([planned_s, *(event.t for event in timeline[-1:])])


def impact_spans(timeline: Iterable[Event], end_s: float) -> list[tuple[float, float]]:
    """The times in which at least one class of users was hurt; overlapping ones are one."""
    from gameday.report.plots.lanes import spans

    pairs = spans(timeline, "impact.started", ("impact.ended",), lambda event: event.subject)
    found = sorted((start.t, end.t if end is not None else end_s) for start, end in pairs)
    merged: list[tuple[float, float]] = []
    for start, end in found:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def accounts(series: SeriesSet, warmup_s: float) -> Accounts:
    """Requests offered, good and lost by reason since the warm-up, from the rates in bins of a second."""
    offered: dict[str, int] = {}
    good: dict[str, int] = {}
    lost: dict[str, dict[str, int]] = {}
    for name, counts in (("requests.offered", offered), ("requests.good", good)):
        for one in series.find(name):
            request_class = one.labels.get("class", "")
            counts[request_class] = counts.get(request_class, 0) + _since(one.t, one.values, warmup_s)
    for one in series.find("requests.lost"):
        counts = lost.setdefault(one.labels.get("reason", ""), {})
        request_class = one.labels.get("class", "")
        counts[request_class] = counts.get(request_class, 0) + _since(one.t, one.values, warmup_s)
    rows = [LostRow(reason, counts) for reason, counts in lost.items() if any(counts.values())]
    return Accounts(offered, good, tuple(sorted(rows, key=lambda row: (-row.total, row.reason))))


def _since(t: Floats, rates: Floats, start_s: float) -> int:
    """Requests in the bins of one second that end after `start_s`."""
    import numpy as np

    return round(float(np.nansum(rates[t > start_s + 1e-9])))


def traffic_panels(scenario: Scenario, series: SeriesSet, end_s: float) -> list[TrafficPanel]:
    """One panel for each class of the scenario; empty when no requests were recorded."""
    import numpy as np

    from gameday.report.plots.traffic import TrafficPanel

    if not series.find("requests.offered"):
        return []
    bin_s = max(1.0, float(np.ceil(end_s / _MOST_POINTS)))
    edges = np.arange(0.0, end_s + bin_s, bin_s)

    def binned(name: str, labels: Mapping[str, str], keep: Any = None) -> Floats:
        total = np.zeros(len(edges) - 1)
        for one in series.find(name, labels):
            if keep is None or keep(one.labels.get("reason", "")):
                total += np.histogram(one.t - 1e-6, edges, weights=np.nan_to_num(one.values))[0] / bin_s
        return total

    panels = []
    for name, request_class in scenario.load.classes.items():
        labels = {"class": name}
        shed = binned("requests.lost", labels, lambda reason: reason in SHED_REASONS)
        failed = binned("requests.lost", labels, lambda reason: reason not in SHED_REASONS)
        offered, good = binned("requests.offered", labels), binned("requests.good", labels)
        panels.append(TrafficPanel(name, request_class.priority, edges[1:], offered, good, shed, failed))
    return panels


def latency_panels(scenario: Scenario, series: SeriesSet, end_s: float) -> list[LatencyPanel]:
    """One panel for each class that was answered at all; of a long run, the highest value of each stretch of time."""
    from gameday.report.plots.latency import LatencyPanel

    panels = []
    step_s = latency_step_s(end_s)
    for name, request_class in scenario.load.classes.items():
        quantiles = {}
        for quantile in ("p50", "p95", "p99"):
            found = series.find(f"latency.{quantile}", {"class": name})
            if found:
                quantiles[quantile] = _highest(found[0].t, found[0].values, step_s)
        if quantiles:
            panels.append(LatencyPanel(name, request_class.deadline, quantiles, step_s))
    return panels


def latency_step_s(end_s: float) -> float:
    """Seconds between two points of the latency picture: the five of the samples, or as many as a long run needs."""
    return _SAMPLE_S * max(1.0, float(-(-end_s // (_MOST_POINTS * _SAMPLE_S))))


def _highest(t: Floats, values: Floats, step_s: float) -> tuple[Floats, Floats]:
    """The highest value in every stretch of `step_s` that has one; as they are where the samples are no denser than that."""
    import numpy as np

    if step_s <= _SAMPLE_S or not len(t):
        return t, values
    stretch = np.ceil(t / step_s - 1e-9)
    starts = np.flatnonzero(np.diff(stretch, prepend=stretch[0] - 1))
    return stretch[starts] * step_s, np.fmax.reduceat(values, starts)


def messages(timeline: Timeline) -> list[MessageRow]:
    """What was published, in order of time."""
    declared = timeline.of("incident.declared")
    return [
        MessageRow(
            t=event.t,
            after_declaration_s=_since_declaration(event, declared),
            audience=str(event.data.get("audience", "")),
            phase=str(event.data.get("phase", "")),
            channel=str(event.data.get("channel", "")),
            author=str(event.data.get("author", "")),
            role=str(event.data.get("role", "")),
            approvals=_approvals(event.data.get("approvals")),
            text=str(event.data.get("text", "")),
        )
        for event in timeline.of("message.published")
    ]


def _since_declaration(message: Event, declared: Iterable[Event]) -> float | None:
    """Seconds since its incident was declared; of a message that names no declared incident, since the newest declaration."""
    before = [event for event in declared if event.t <= message.t]
    own = [event.t for event in before if event.subject == message.subject] or [event.t for event in before]
    return message.t - own[-1] if own else None


def _approvals(approvals: object) -> tuple[str, ...]:
    if isinstance(approvals, Sequence) and not isinstance(approvals, str):
        return tuple(_approval(one) for one in approvals)
    return (str(approvals),) if approvals else ()


def _approval(approval: object) -> str:
    """An approval in words, whether it is a text such as `incident_commander/ana`, a mapping, or a pair."""
    if isinstance(approval, Mapping):
        who = [str(approval[key]) for key in ("person", "by", "who") if key in approval]
        role = str(approval.get("role", "")).replace("_", " ")
        return f"{who[0]} ({role})" if who and role else who[0] if who else role or str(dict(approval))
    if isinstance(approval, Sequence) and not isinstance(approval, str):
        return ", ".join(str(part) for part in approval)
    role, slash, person = str(approval).partition("/")
    return f"{person} ({role.replace('_', ' ')})" if slash else role.replace("_", " ")

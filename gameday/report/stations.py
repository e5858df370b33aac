"""What each service, database and provider did while users were hurt, the worst first: rows for the pictures and a table of all.

The rule that surprises: how bad a row is, is told by failed attempts and by work for nobody during the impact, not by how busy it was: a
healthy neighbour of a dead one is busy, too. Where nobody was hurt the whole judged time counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gameday.report.words import count, percent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gameday.scenario.model import Scenario
    from gameday.series import Series, SeriesSet

    Floats = NDArray[np.float64]

SAMPLE_S: Final = 5.0
"""Stations are sampled every five seconds."""
MOST_POINTS: Final = 140
"""Points of a line in a small picture."""
FEWEST: Final = 3
MOST: Final = 6
"""Rows of the first picture."""
MOST_FOLDED: Final = 5
"""Rows of the picture that is folded away; the table has all."""
KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "service": ("service", "region"),
    "database": ("database", "node"),
    "provider": ("provider",),
}
"""Kinds of station that are shown, and the labels that name one."""


@dataclass(frozen=True, slots=True)
class StationRow:
    """One service in one region, one node of a database, or one provider. Times are those at which bins end."""

    kind: str
    name: str
    place: str
    """Region or zone; empty for a provider."""
    t: Floats
    arrived: Floats
    good: Floats
    wasted: Floats
    failed: Mapping[str, Floats]
    """By reason."""
    busy: Floats
    """Busy share of its slots; NaN while it has none."""
    waiting: Floats
    p50_s: Floats
    p99_s: Floats
    failures: Mapping[str, int]
    """Failed attempts while users were hurt, by reason, most first."""
    wasted_then: int
    on_path: bool
    """Whether a class that was hurt goes through it."""

    @property
    def title(self) -> str:
        """What it is and where."""
        what = self.name if self.kind == "service" else f"{self.kind} {self.name}"
        return f"{what} in {self.place}" if self.place else what

    @property
    def failed_then(self) -> int:
        """Failed attempts while users were hurt."""
        return sum(self.failures.values())

    @property
    def badness(self) -> tuple[bool, int, float]:
        """What rows are ordered by, the worst highest."""
        return self.on_path, self.failed_then + self.wasted_then, self.busiest

    @property
    def busiest(self) -> float:
        """Highest busy share; 0 when it never had a slot."""
        import numpy as np

        known = self.busy[np.isfinite(self.busy)]
        return float(known.max()) if len(known) else 0.0

    @property
    def longest_queue(self) -> int:
        """Most requests that waited at a time."""
        return int(self.waiting.max(initial=0.0))

    @property
    def slowest_s(self) -> float | None:
        """Highest p99; None when nothing was completed."""
        import numpy as np

        known = self.p99_s[np.isfinite(self.p99_s)]
        return float(known.max()) if len(known) else None

    @property
    def why(self) -> str:
        """The failures in words."""
        if not self.failed_then:
            return "none failed"
        most = [(reason, n) for reason, n in self.failures.items() if n >= 0.005 * self.failed_then][:2]
        shares = ", ".join(f"{reason.replace('_', ' ')} {percent(round(n / self.failed_then, 2))}" for reason, n in most)
        return f"{count(self.failed_then)} failed ({shares})"


def station_rows(
    scenario: Scenario, series: SeriesSet, end_s: float, hurt: Sequence[tuple[float, float]], classes: Iterable[str]
) -> list[StationRow]:
    """All stations of which there are series, the worst first. `hurt` is when users were hurt, `classes` who."""
    windows = [*hurt] or [(scenario.warmup, end_s)]
    path = on_path(scenario, classes if hurt else scenario.load.classes)
    rows = []
    for kind, labels in KINDS.items():
        for arrived in series.find(f"{kind}.arrived"):
            row = _row(series, kind, labels, arrived, end_s, windows, path)
            if row is not None:
                rows.append(row)
    return sorted(rows, key=lambda row: (*(-part for part in row.badness), row.title))


def most_telling(rows: Sequence[StationRow]) -> list[StationRow]:
    """The rows that go into the picture everybody sees: where it failed on the path of who was hurt, at least three if there are so many."""
    failed = [row for row in rows if row.on_path and row.failed_then + row.wasted_then > 0]
    return (failed if len(failed) >= FEWEST else list(rows[:FEWEST]))[:MOST]


def on_path(scenario: Scenario, classes: Iterable[str]) -> frozenset[str]:
    """`service/x`, `database/x` and `provider/x` that these classes come to, over calls, fallbacks and queues."""
    from gameday.selectors import target_of

    system = scenario.system
    found: set[tuple[str, str]] = set()
    for name in classes:
        request_class = scenario.load.classes.get(name)
        ahead = [] if request_class is None else [(f"service/{request_class.entry}", name)]
        while ahead:
            target, of_class = ahead.pop()
            if (target, of_class) in found:
                continue
            found.add((target, of_class))
            kind, _, what = target.partition("/")
            if kind == "queue":
                ahead.append((f"service/{system.queues[what].consumer}", of_class))
            elif kind == "service":
                for call in system.services[what].calls:
                    if call.classes is None or of_class in call.classes:
                        ahead += [(target_of(to), of_class) for to in (call.to, call.fallback) if to is not None]
    return frozenset(target for target, _ in found)


def _row(
    series: SeriesSet,
    kind: str,
    labels: tuple[str, ...],
    arrived: Series,
    end_s: float,
    windows: Sequence[tuple[float, float]],
    path: frozenset[str],
) -> StationRow | None:
    import numpy as np

    who = {label: arrived.labels[label] for label in labels}
    failed = {one.labels["reason"]: one for one in series.find(f"{kind}.failed", who)}
    if not arrived.values.any() and not failed:
        return None
    step_s = SAMPLE_S * max(1.0, np.ceil(end_s / (MOST_POINTS * SAMPLE_S)))
    t = np.arange(step_s, end_s + 1e-6, step_s)

    def of(name: str, *, highest: bool = False, missing: float = 0.0) -> Floats:
        found = series.find(f"{kind}.{name}", who)
        return _stretches(found[0], t, step_s, highest=highest, missing=missing) if found else np.full(len(t), missing)

    counts = {reason: _within(one, windows) for reason, one in failed.items()}
    wasted = series.find(f"{kind}.wasted", who)
    return StationRow(
        kind=kind,
        name=who[labels[0]],
        place=who[labels[1]] if len(labels) > 1 else "",
        t=t,
        arrived=of("arrived"),
        good=of("good"),
        wasted=of("wasted"),
        failed={reason: _stretches(one, t, step_s, highest=False, missing=0.0) for reason, one in failed.items()},
        busy=of("utilisation", highest=True, missing=float("nan")),
        waiting=of("queue", highest=True),
        p50_s=of("latency_p50", highest=True, missing=float("nan")),
        p99_s=of("latency_p99", highest=True, missing=float("nan")),
        failures=dict(sorted(((r, n) for r, n in counts.items() if n), key=lambda pair: (-pair[1], pair[0]))),
        wasted_then=_within(wasted[0], windows) if wasted else 0,
        on_path=f"{kind}/{who[labels[0]]}" in path,
    )


def _within(one: Series, windows: Sequence[tuple[float, float]]) -> int:
    """How many there were in these windows, from rates in bins of five seconds."""
    import numpy as np

    inside = np.zeros(len(one.t), dtype=bool)
    for start_s, end_s in windows:
        inside |= (one.t > start_s) & (one.t <= end_s + SAMPLE_S)
    return round(float(np.nansum(one.values[inside])) * SAMPLE_S)


def _stretches(one: Series, t: Floats, step_s: float, *, highest: bool, missing: float) -> Floats:
    """The mean, or the highest, of the values of each stretch that ends at `t`."""
    import numpy as np

    place = np.ceil(one.t / step_s - 1e-9).astype(int) - 1
    inside = (place >= 0) & (place < len(t)) & np.isfinite(one.values)
    place, values = place[inside], one.values[inside]
    if highest:
        found = np.full(len(t), -np.inf)
        np.maximum.at(found, place, values)
        return np.where(np.isneginf(found), missing, found)
    sums = np.bincount(place, values, minlength=len(t))
    return np.asarray(sums * (SAMPLE_S / step_s), dtype=np.float64)

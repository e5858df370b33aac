"""The data plane: every request through the graph of services, behind one small interface.

The control plane owns time in the large; it calls `advance(until)`, reads `observe()`, and changes the system with
`apply(change)` in between. Nothing in here knows SimPy, people or policies made of minutes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sim.traffic.changes import Change
from sim.traffic.marks import Mark
from sim.traffic.plan import Plan
from sim.traffic.watching import Stop, Watch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "BUCKETS",
    "BUCKETS_PER_OCTAVE",
    "BUCKET_EDGES_S",
    "Details",
    "Engine",
    "Note",
    "Observation",
    "Plan",
    "Snapshot",
    "Stop",
    "Watch",
    "WriteLog",
    "bucket_of",
    "bucket_upper_s",
]

BUCKETS_PER_OCTAVE = 8
_LOWEST_S = 2.0**-14  # 61 microseconds: everything faster shares the first bucket
BUCKETS = 22 * BUCKETS_PER_OCTAVE  # up to 2**8 = 256 s; everything slower shares the last


@dataclass(frozen=True, slots=True)
class Note:
    """Something the engine did by itself that belongs on the record, of a kind of `sim.traffic.noted`."""

    t: float
    kind: str
    index: int
    """Of the edge of a breaker, else of the station."""
    instance: int = -1
    """Position of the outlier in its station."""


@dataclass(slots=True)
class WriteLog:
    """Writes committed by one database node, in commit order, from position `base` on.

    `committed_s[i]` is the commit time of write number `base + i`; `acknowledged[i]` is 1 once its answer reached the
    caller in time (a committed write that was not acknowledged is *indeterminate* for its client).
    """

    base: int
    committed_s: Sequence[float]
    acknowledged: Sequence[int]


@dataclass(slots=True)
class Observation:
    """Cumulative counts since the start, and gauges of this instant. Live views: copy what you keep.

    Per flow: `offered`, `good`, `lost[flow][reason]` (in flight = offered - good - sum of lost), `latency[flow][bucket]`
    of answered requests (good or LATE; measured from the first attempt's intended start). `entered[flow][station]` is the pair
    [good, lost] of the requests whose last attempt to reach any station reached this one; requests that reached none are in no pair.
    Per station: `arrived` attempts, `completed`, `failed` (refused, shed, crashed, errors), `busy` slots, `queued`,
    `slots` of the instances that are up, `busy_s` (slot-seconds used), `refused_by[station][priority]` (shed or queue full) and
    `admitted_by[station][priority]`, `dropped_by[station][priority]` (let in, and dropped by the discipline of the queue when their turn
    came), `shed_below_limit` (refused by priority while slots were free).
    Per edge: `attempts`, `failures` (attempts), `retries`, `skipped` by an open breaker, `cancelled` (attempts without an
    outcome: their caller had no use for one any more), `hedges` (second attempts beside first ones), `breaker_open` now; of calls with
    a cache: `hits`, `misses` (which became calls) and `joined` (which waited for somebody else's).
    Per station again: `reads` and `writes` answered, `writes_attempted`, `writes_acknowledged`, `writes_indeterminate`,
    `dead_letters` (messages whose calls have failed for good).
    """

    offered: list[int]
    good: list[int]
    lost: list[list[int]]
    latency: list[list[int]]
    entered: list[dict[int, list[int]]]
    arrived: list[int]
    completed: list[int]
    failed: list[int]
    busy: list[int]
    queued: list[int]
    slots: list[int]
    busy_s: list[float]
    refused_by: list[list[int]]
    admitted_by: list[list[int]]
    dropped_by: list[list[int]]
    shed_below_limit: list[int]
    attempts: list[int]
    failures: list[int]
    retries: list[int]
    skipped: list[int]
    cancelled: list[int]
    hedges: list[int]
    breaker_open: list[bool]
    hits: list[int]
    misses: list[int]
    joined: list[int]
    reads: list[int]
    writes_attempted: list[int]
    writes_acknowledged: list[int]
    writes_indeterminate: list[int]
    dead_letters: list[int]

    def requests(self) -> list[int]:
        """Offered requests of every flow, then good ones, then lost ones whatever the reason: a new list."""
        return [*self.offered, *self.good, *map(sum, self.lost)]

    def histograms(self) -> NDArray[np.int64]:
        """`latency` as an array of its own: what to keep of it."""
        import numpy as np

        return np.array(self.latency, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Details:
    """What is worth the time only where a day is told in full: cumulative counts as copies, a row per station or edge."""

    visits: NDArray[np.int64]
    """`[station][class][bucket]`: completed visits by how long they took from arrival to the end, with waiting and with the calls made."""
    wasted: NDArray[np.int64]
    """Visits of a station that were completed after their caller had given up."""
    failed_by: NDArray[np.int64]
    """`[station][reason]`: attempts sent to it that failed, for the reason their caller learnt."""
    limit: NDArray[np.float64]
    """Gauge: what the concurrency limiters of a station's instances allow together, 0 without one; instances that are down do not count."""
    limited: NDArray[np.int64]
    """Attempts these limiters refused; they are in `refused_by`, too."""
    unsent_by: NDArray[np.int64]
    """`[edge][reason]`: attempts that failed before they were sent anywhere. What an open breaker skipped is no attempt, and not in here."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of an engine at one instant, to be given to `restore`; what is in it is the engine's own business."""

    engine: str
    plan: Plan
    state: Any
    sequence: int = 0

    def check(self, engine: str, plan: Plan) -> None:
        """Raise ValueError unless an engine of this kind and plan can go on from here."""
        if self.engine != engine:
            raise ValueError(f"a snapshot of the {self.engine} engine cannot be restored in the {engine} one")
        if self.plan is not plan and self.plan != plan:
            raise ValueError("this snapshot is of an engine with another plan")


class Engine(Protocol):
    """One simulated data plane. Two implementations must give identical numbers on the same plan and seeds."""

    @property
    def now(self) -> float:
        """Seconds since the start."""

    def advance(self, until: float) -> Stop:
        """Play every event up to and including `until`, or until a watch speaks up; says which, and `now` is then that instant."""

    def watch(self, condition: Watch) -> int:
        """Let `advance` return early at the instant the condition holds; returns the watch's number. A watch fires once.

        Raises ValueError if it is about nothing that exists.
        """

    def unwatch(self, number: int) -> None:
        """Watch it no more; one that has fired or never was is no error."""

    def take_fired(self) -> list[int]:
        """Numbers of the watches that have fired since the last call; they are gone."""

    def apply(self, change: Change) -> None:
        """Change the system at the present instant."""

    def observe(self) -> Observation:
        """Counts and gauges at the present instant."""

    def instance_busy(self, station: int, instance: int) -> tuple[int, int]:
        """Busy slots and queued requests of one instance."""

    def details(self) -> Details:
        """More counts of every station and edge at the present instant, which take longer than `observe`."""

    def write_log(self, station: int) -> WriteLog:
        """Writes of a database node that have not been dropped yet."""

    def take_notes(self) -> list[Note]:
        """Notes since the last call, in order of time."""

    def trace(self, flow: int, every: int) -> None:
        """From now on trace every so manyth request of a flow, by the count of those offered; 0 traces none (as at the start)."""

    def take_marks(self) -> list[Mark]:
        """What has happened to traced requests since the last call, in order; see `sim.traffic.marks`."""

    def snapshot(self) -> Snapshot:
        """Everything the future depends on, as of now: the same calls after a `restore` give the same numbers to the bit."""

    def restore(self, snapshot: Snapshot) -> None:
        """Go to the instant of a snapshot, which an engine of the same kind and plan has made; it can be restored any number of times.

        Raises ValueError if it is of another kind or plan. The seeds of streams first used later come from the restoring engine.
        """


def bucket_of(seconds: float) -> int:
    """Position of a latency in the log-spaced histogram: eight buckets an octave, so 9 % wide."""
    if seconds <= _LOWEST_S:
        return 0
    bucket = bisect_right(BUCKET_EDGES_S, seconds)
    return bucket if bucket < BUCKETS else BUCKETS - 1


def bucket_upper_s(bucket: int) -> float:
    """Upper edge of a bucket in seconds."""
    return _LOWEST_S * float(2.0 ** (bucket / BUCKETS_PER_OCTAVE))


BUCKET_EDGES_S = tuple(map(bucket_upper_s, range(BUCKETS)))
"""Upper edges of all buckets: engines compare with these same numbers, because a logarithm may differ in the last bit."""

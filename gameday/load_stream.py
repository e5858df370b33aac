"""The stream of a load generator: a line a second with what became of the requests, read while it is written.

The rule that surprises: an arrival the generator could not send is not the system's loss. It is counted as dropped, and a day with too many
of them proves nothing.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

PATTERN: Final = "load-*.jsonl"
MOVED: Final = "moved"
"""Note of a line: a `Move` of every resolver cache that sends its clients to another region from then on."""
NOWHERE: Final = ""
"""In place of a region: the cache has no address."""
Move = tuple[float, str, str | None, str]
"""Instant, origin, region before (None: the cache is new) and after."""
_GROWTH: Final = math.log(1.09)
_SMALLEST_S: Final = 0.001


def bucket_of(latency_s: float) -> int:
    """Latency bucket, each 9 % wide, the first up to 1 ms."""
    return max(0, math.ceil(math.log(max(latency_s, _SMALLEST_S) / _SMALLEST_S) / _GROWTH - 1e-9))


def bucket_upper_s(bucket: int) -> float:
    """Upper edge of a bucket, seconds."""
    return _SMALLEST_S * math.exp(bucket * _GROWTH)


@dataclass(slots=True)
class Counts:
    """What became of the requests of one class from one origin in one second."""

    offered: int = 0
    good: int = 0
    dropped: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    """Reason to number."""
    served: Counter[str] = field(default_factory=Counter)
    """Region that gave the good answers to number."""
    sent: Counter[str] = field(default_factory=Counter)
    """Region whose entry was asked to number; a request that is tried again counts again."""
    latency: Counter[int] = field(default_factory=Counter)
    """Bucket to number, of everything that was answered."""

    def add(self, other: Counts) -> None:
        """Add up."""
        self.offered += other.offered
        self.good += other.good
        self.dropped += other.dropped
        self.lost.update(other.lost)
        self.served.update(other.served)
        self.sent.update(other.sent)
        self.latency.update(other.latency)

    def as_json(self) -> dict[str, Any]:
        """As a line of the stream has it; what is zero is left out."""
        found: dict[str, Any] = {"offered": self.offered, "good": self.good, "dropped": self.dropped}
        found |= {"lost": dict(self.lost), "served": dict(self.served), "sent": dict(self.sent)}
        found |= {"latency": {str(b): n for b, n in self.latency.items()}}
        return {name: value for name, value in found.items() if value}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Counts:
        """The inverse of `as_json`."""
        return cls(
            found.get("offered", 0),
            found.get("good", 0),
            found.get("dropped", 0),
            Counter(found.get("lost", {})),
            Counter(found.get("served", {})),
            Counter(found.get("sent", {})),
            Counter({int(bucket): number for bucket, number in found.get("latency", {}).items()}),
        )


Second = dict[tuple[str, str], Counts]
"""(class, origin) to what became of its requests."""


def line_of(t: int, second: Second, notes: Mapping[str, Any] | None = None) -> str:
    """One line: the second that ends at `t`."""
    counts = [[name, origin, each.as_json()] for (name, origin), each in sorted(second.items())]
    return json.dumps({"t": t, "counts": counts, **(notes or {})}, separators=(",", ":")) + "\n"


class LoadStream:
    """All streams of a folder, added up by second; `read` takes in what has been written since."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._offsets: dict[Path, int] = {}
        self._newest: dict[Path, int] = {}
        self.seconds: dict[int, Second] = {}
        self.notes: list[dict[str, Any]] = []
        """What generators said besides: `cpu_warning`, `late_s`, `moved`."""
        self._cumulative: dict[str, tuple[list[int], list[tuple[int, int, int]]]] = {}

    def read(self) -> bool:
        """Take in new lines; True when there were any."""
        found = False
        for path in sorted(self._folder.glob(PATTERN)):
            with path.open("rb") as file:
                file.seek(self._offsets.get(path, 0))
                content = file.read()
            whole = content.rfind(b"\n") + 1
            self._offsets[path] = self._offsets.get(path, 0) + whole
            for line in content[:whole].splitlines():
                self._take(path, json.loads(line))
                found = True
        if found:
            self._cumulative.clear()
        return found

    def _take(self, path: Path, record: dict[str, Any]) -> None:
        t = int(record["t"])
        self._newest[path] = max(t, self._newest.get(path, t))
        second = self.seconds.setdefault(t, {})
        for name, origin, counts in record["counts"]:
            second.setdefault((name, origin), Counts()).add(Counts.from_json(counts))
        notes = {key: value for key, value in record.items() if key not in {"t", "counts"}}
        if notes:
            self.notes.append({"t": t, **notes})

    @property
    def complete_until(self) -> int | None:
        """The last second that every generator has reported; None before the first."""
        return min(self._newest.values()) if self._newest else None

    def answered(self, request_class: str, window_s: float, at: float) -> tuple[int, int, int]:
        """Offered, good and lost requests of a class in the seconds of the window that ends at `at`."""
        times, sums = self._sums(request_class)
        new = bisect_right(times, at + 1e-9) - 1
        if new < 0:
            return 0, 0, 0
        old = bisect_right(times, times[new] - window_s + 1e-9) - 1
        before = sums[old] if old >= 0 else (0, 0, 0)
        offered, good, lost = (one - other for one, other in zip(sums[new], before, strict=True))
        return offered, good, lost

    def latency(self, request_class: str, quantile: float, window_s: float, at: float) -> float | None:
        """A latency quantile of the answers in the window, to the upper edge of its bucket; None without answers."""
        seen: Counter[int] = Counter()
        for t in range(math.floor(at - window_s) + 1, math.floor(at) + 1):
            for (name, _), counts in self.seconds.get(t, {}).items():
                if name == request_class:
                    seen.update(counts.latency)
        total, passed = sum(seen.values()), 0
        for bucket in sorted(seen):
            passed += seen[bucket]
            if passed >= quantile * total - 1e-9:
                return bucket_upper_s(bucket)
        return None

    def total(self) -> Counts:
        """Everything so far."""
        found = Counts()
        for second in self.seconds.values():
            for counts in second.values():
                found.add(counts)
        return found

    def _sums(self, request_class: str) -> tuple[list[int], list[tuple[int, int, int]]]:
        """Cumulative counts of a class at the end of every second that all generators have reported."""
        if request_class not in self._cumulative:
            times: list[int] = []
            sums: list[tuple[int, int, int]] = []
            offered = good = lost = 0
            until = self.complete_until
            for t in sorted(self.seconds):
                if until is None or t > until:
                    break
                for (name, _), counts in self.seconds[t].items():
                    if name == request_class:
                        offered, good, lost = offered + counts.offered, good + counts.good, lost + sum(counts.lost.values())
                times.append(t)
                sums.append((offered, good, lost))
            self._cumulative[request_class] = (times, sums)
        return self._cumulative[request_class]

"""The series of requests: offered, good, lost by reason and served by region, each second.

The rule that surprises: counters are only put aside each second; differences are made and written in blocks of minutes, and where nothing
was lost nothing is put aside at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from sim.recorder import Channel, Numbers, Recorder
from sim.traffic import Observation
from sim.traffic.plan import Reason
from sim.wiring import Wiring

BLOCK = 512
"""Samples that are written together."""


class RequestSeries:
    """Told the counters at the end of every second."""

    def __init__(self, wiring: Wiring, recorder: Recorder) -> None:
        self._recorder = recorder
        self._stations = wiring.plan.stations
        self._labels = {flow: {"class": name, "origin": origin} for (name, origin), flow in wiring.flows.items()}
        self._times: list[float] = []
        self._flows = len(wiring.flows)
        self._rows = [[0] * (3 * self._flows)]
        self._channels = [
            recorder.channel(f"requests.{name}", **self._labels[flow])
            for name in ("offered", "good")
            for flow in sorted(self._labels)
        ]
        self._lost = [[0] * len(Reason) for _ in wiring.flows]
        self._losses: dict[tuple[int, int], _Lost] = {}
        self._served: dict[tuple[int, int], _Served] = {}
        recorder.writers.append(self.write)

    def take(self, now: float, seen: Observation) -> None:
        """The second that ends now. A reason or a region has a series from its first request on."""
        second = len(self._times)
        self._times.append(now)
        row, before_it, losses = seen.requests(), self._rows[-1], 2 * self._flows
        self._rows.append(row)
        if row[losses:] != before_it[losses:]:
            for flow, (before, after) in enumerate(zip(self._lost, seen.lost, strict=True)):
                if before != after:
                    self._lose(second, flow, before, after)
                    self._lost[flow] = list(after)
        for flow, places in enumerate(seen.entered):
            for station, pair in places.items():
                key = (flow, station)
                if key not in self._served:
                    self._serve(key)
                self._served[key].good.append(pair[0])
        if second + 1 >= BLOCK:
            self.write()

    def _lose(self, second: int, flow: int, before: Sequence[int], after: Sequence[int]) -> None:
        for reason, (old, new) in enumerate(zip(before, after, strict=True)):
            if new == old:
                continue
            key = (flow, reason)
            if key not in self._losses:
                labels = {**self._labels[flow], "reason": Reason(reason).name.lower()}
                self._losses[key] = _Lost(self._recorder.channel("requests.lost", **labels), second)
            self._losses[key].counts[second] = new - old

    def _serve(self, key: tuple[int, int]) -> None:
        flow, station = key
        region = self._stations[station].name.partition("@")[2]
        self._served[key] = _Served(self._recorder.channel("requests.served_at", **self._labels[flow], region=region))

    def write(self) -> None:
        """Write what was put aside."""
        if not self._times:
            return
        times = np.array(self._times)
        changes = np.diff(np.array(self._rows, dtype=float), axis=0).T
        for channel, values in zip(self._channels, changes[: 2 * self._flows], strict=True):
            channel.extend(times, values.copy())
        del self._rows[:-1]
        for lost in self._losses.values():
            lost.write(times)
        for served in self._served.values():
            served.write(times)
        self._times = []


class _Lost:
    """Requests of one flow lost for one reason: counts of the seconds that had any."""

    def __init__(self, channel: Channel, since: int) -> None:
        self._channel = channel
        self._since = since
        self.counts: dict[int, int] = {}

    def write(self, times: Numbers) -> None:
        values = np.zeros(len(times))
        for second, count in self.counts.items():
            values[second] = count
        self._channel.extend(times[self._since :], values[self._since :])
        self._since, self.counts = 0, {}


class _Served:
    """Good answers of one flow from one station: the count so far at the end of every second since the first one."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.good = [0]

    def write(self, times: Numbers) -> None:
        values = np.array([after - before for before, after in pairwise(self.good)], dtype=float)
        self._channel.extend(times[len(times) - len(values) :], values)
        del self.good[:-1]

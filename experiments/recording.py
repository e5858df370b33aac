"""One record out of what the processes of a live day wrote: the timeline and the series that the scorers read.

The rule that surprises: it reads whatever is there. After a crash the same files give the same record, cut off where it broke off.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from gameday.load_stream import MOVED, Counts, LoadStream, Move
from gameday.scenario.model import Scenario
from gameday.scores import Recording
from gameday.series import Series, SeriesSet
from gameday.timeline import Event, Timeline, merge_timelines
from gameday.timeline_files import read_timeline

OF_THE_END: Final = ("writes.summary", "note")
WRITERS: Final = ("controller", "observer", "truth")
LATENCY_EVERY_S: Final = 5
LATENCY_WINDOW_S: Final = 10.0
QUANTILES: Final = {"latency.p50": 0.5, "latency.p95": 0.95, "latency.p99": 0.99}
SERVICE_BIN_S: Final = 5
REFUSALS: Final = ("shed", "rate_limited", "queue_full")
QUIET_S: Final = 30
"""Time without a refusal after which shedding has ended, at its last refusal."""
Points = dict[tuple[str, tuple[tuple[str, str], ...]], list[tuple[float, float]]]


def record(live: Path, scenario: Scenario) -> Recording:
    """What the folder holds."""
    stream = LoadStream(live)
    stream.read()
    parts = [read_timeline(path) for name in WRITERS if (path := live / f"{name}.jsonl").exists()]
    timeline = _ended(merge_timelines([*parts, Timeline(events=_shedding(stream, scenario))]))
    points: Points = {}
    _add_requests(points, stream, scenario)
    _add_latencies(points, stream, scenario)
    _add_refusals(points, stream, scenario)
    _add_places(points, stream, scenario)
    for path in sorted(live.glob("samples-*.jsonl")):
        _add_samples(points, path)
    series = SeriesSet(
        Series(name, dict(labels), *zip(*sorted(values), strict=True)) for (name, labels), values in points.items() if values
    )
    return Recording(timeline, series)


def _ended(timeline: Timeline) -> Timeline:
    """Counts and remarks that were written after the end are of the end; a day that is healed after it was stopped ends with that."""
    end = timeline.first("run.ended") or timeline.first("run.aborted")
    if end is None:
        return timeline
    others = [replace(one, t=min(one.t, end.t)) if one.kind in OF_THE_END else one for one in timeline if one is not end]
    last = max((one.t for one in others if one.kind.startswith("fault.")), default=end.t)
    end = replace(end, t=max(end.t, last))
    return Timeline(timeline.header, [*(one for one in others if one.t <= end.t), end], timeline.warnings)


def _put(points: Points, name: str, t: float, value: float, **labels: str) -> None:
    points.setdefault((name, tuple(sorted(labels.items()))), []).append((t, value))


def _seconds(stream: LoadStream, scenario: Scenario) -> range:
    until = stream.complete_until
    return range(1, min(until or 0, int(scenario.duration)) + 1)


def _add_requests(points: Points, stream: LoadStream, scenario: Scenario) -> None:
    """Per class and origin; a reason or a region has a series from its first request on."""
    flows = sorted({flow for second in stream.seconds.values() for flow in second})
    prices = scenario.system.money.lost_request
    money: dict[str, float] = {}
    for name, origin in flows:
        seen: set[tuple[str, str]] = set()
        for t in _seconds(stream, scenario):
            counts = stream.seconds.get(t, {}).get((name, origin), Counts())
            flow = {"class": name, "origin": origin}
            _put(points, "requests.offered", t, counts.offered, **flow)
            _put(points, "requests.good", t, counts.good, **flow)
            seen |= {("reason", each) for each in counts.lost} | {("region", each) for each in counts.served}
            for what, label in seen:
                kind, values = ("lost", counts.lost) if what == "reason" else ("served_at", counts.served)
                _put(points, f"requests.{kind}", t, values.get(label, 0), **flow, **{what: label})
    for name in {name for name, _ in flows} & set(prices):
        for t in _seconds(stream, scenario):
            lost = sum(sum(each.lost.values()) for (owner, _), each in stream.seconds.get(t, {}).items() if owner == name)
            money[name] = money.get(name, 0.0) + prices[name] * lost
            if t % SERVICE_BIN_S == 0:
                _put(points, "class.value_lost", t, money[name], **{"class": name})


def _add_latencies(points: Points, stream: LoadStream, scenario: Scenario) -> None:
    for name in scenario.load.classes:
        for t in _seconds(stream, scenario):
            if t % LATENCY_EVERY_S == 0:
                for series, quantile in QUANTILES.items():
                    value = stream.latency(name, quantile, LATENCY_WINDOW_S, t)
                    if value is not None:
                        _put(points, series, t, value, **{"class": name})


def _refused(stream: LoadStream, scenario: Scenario, end: int) -> Iterator[tuple[str, str, str, int, int]]:
    """(service, region, priority, refused, admitted) at the entries in the bin that ends at `end`, as clients of each origin saw it."""
    origins = scenario.system.traffic.origins
    found: dict[tuple[str, str, str], list[int]] = {}
    for t in range(end - SERVICE_BIN_S + 1, end + 1):
        for (name, origin), counts in stream.seconds.get(t, {}).items():
            model = scenario.load.classes[name]
            sums = found.setdefault((model.entry, origins[origin].region, model.priority), [0, 0])
            refused = sum(counts.lost.get(reason, 0) for reason in REFUSALS)
            sums[0] += refused
            sums[1] += counts.good + sum(counts.lost.values()) - refused
    for (service, region, priority), (refused, admitted) in sorted(found.items()):
        yield service, region, priority, refused, admitted


def _add_refusals(points: Points, stream: LoadStream, scenario: Scenario) -> None:
    """Refusals at the entry of a region, as the clients met them."""
    for end in _seconds(stream, scenario):
        if end % SERVICE_BIN_S:
            continue
        rows = list(_refused(stream, scenario, end))
        for service, region in sorted({(row[0], row[1]) for row in rows}):
            own = [row for row in rows if row[:2] == (service, region)]
            refused = sum(row[3] for row in own)
            if not refused:
                continue
            _put(points, "service.refused", end, refused / SERVICE_BIN_S, service=service, region=region)
            for _, _, priority, bad, admitted in own:
                labels = {"service": service, "region": region, "priority": priority}
                _put(points, "service.refused_by", end, bad / SERVICE_BIN_S, **labels)
                _put(points, "service.admitted_by", end, admitted / SERVICE_BIN_S, **labels)


def _add_places(points: Points, stream: LoadStream, scenario: Scenario) -> None:
    """Where the clients of an origin go: share of their resolver caches by the region these send them to, whenever one moves.

    Where clients ask no server for a name nothing can move, and there is no share.
    """
    caches: dict[str, Counter[str]] = {}
    last: dict[tuple[str, float], dict[str, float]] = {}
    moves: list[Move] = [move for note in stream.notes for move in note.get(MOVED, ())]
    for t, origin, before, after in sorted(moves, key=lambda move: move[0]):
        now = caches.setdefault(origin, Counter())
        if before is not None:
            now[before] -= 1
        now[after] += 1
        last[origin, max(0.0, t)] = {region: now[region] / now.total() for region in scenario.system.regions}
    for (origin, t), shares in last.items():
        for region, share in shares.items():
            _put(points, "dns.share", t, share, origin=origin, region=region)


def _shedding(stream: LoadStream, scenario: Scenario) -> Iterator[Event]:
    """When the entry of a region began and ceased to refuse."""
    last: dict[tuple[str, str], int] = {}
    for end in _seconds(stream, scenario):
        if end % SERVICE_BIN_S:
            continue
        refusing = {(row[0], row[1]) for row in _refused(stream, scenario, end) if row[3]}
        for place in sorted(refusing - set(last)):
            yield _shed("shedding.started", place, end)
        last |= dict.fromkeys(refusing, end)
        for place in sorted(place for place, since in last.items() if end - since >= QUIET_S):
            yield _shed("shedding.ended", place, last.pop(place))


def _shed(kind: str, place: tuple[str, str], t: int) -> Event:
    subject = f"service/{place[0]}@{place[1]}"
    return Event(float(t), kind, subject, "live", {"station": subject})


def _add_samples(points: Points, path: Path) -> None:
    """A last line that was cut off is left out."""
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if found["t"] >= 0.0:
            _put(points, found["name"], found["t"], found["value"], **found["labels"])

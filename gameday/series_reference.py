"""The table of series and its reference page: what is sampled over time, with which labels, in which unit, how often.

The rule that surprises: a series has points only where there was something to say; a bin without requests to a region, or a service that
refused nobody, is simply not there. `tests/docs` holds this table against what a simulated day really writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class SeriesKind:
    """One name under which values are sampled."""

    name: str
    labels: tuple[str, ...]
    unit: str
    sampled: str
    """When it has a point."""
    meaning: str


_EVERY_SECOND: Final = "every second"
_EVERY_FIVE: Final = "every 5 s"
_REFUSING: Final = "every 5 s while the service refuses"

_SHEDDING_BIN: Final = "with `service.refused`, from the first drop on"


def _station_kinds() -> Iterator[SeriesKind]:
    """What is told of every kind of station in the same way."""
    for kind, labels in _LABELS.items():
        yield SeriesKind(f"{kind}.arrived", labels, "requests/s", _EVERY_FIVE, f"Attempts that reached the {kind}.")
        meaning = "Visits completed while their caller still waited." if kind != "queue" else "Messages delivered."
        yield SeriesKind(f"{kind}.good", labels, "requests/s", _EVERY_FIVE, meaning)
        if kind != "queue":
            meaning = "Visits completed after their caller had given up: work for nobody."
            yield SeriesKind(f"{kind}.wasted", labels, "requests/s", "every 5 s from the first one", meaning)
        yield SeriesKind(
            f"{kind}.failed",
            (*labels, "reason"),
            "requests/s",
            "every 5 s from the first one for that reason",
            f"Attempts sent to the {kind} that failed, for the reason their caller learnt (reasons below).",
        )
        if kind != "queue":
            for quantile, words in (("p50", "Median"), ("p99", "99th percentile of the")):
                meaning = (
                    f"{words} time from arrival to the end of visits completed in the last 10 s, with waiting and own calls."
                )
                yield SeriesKind(f"{kind}.latency_{quantile}", labels, "s", "every 5 s with a visit completed", meaning)
        if kind in ("database", "provider"):
            yield SeriesKind(f"{kind}.utilisation", labels, "share", "every 5 s with a slot up", "Busy share of its slots.")
            yield SeriesKind(f"{kind}.queue", labels, "requests", _EVERY_FIVE, "Requests that wait.")
    labels = _LABELS["service"]
    yield SeriesKind(
        "service.limit", labels, "requests", _EVERY_FIVE, "What its concurrency limiters let in at a time, together."
    )
    yield SeriesKind(
        "service.in_flight", labels, "requests", _EVERY_FIVE, "Requests in work or waiting, where there is a limiter."
    )
    yield SeriesKind(
        "service.limited", labels, "requests/s", _EVERY_FIVE, "Attempts its limiters refused; in `service.refused`, too."
    )


_LABELS: Final = {
    "service": ("service", "region"),
    "database": ("database", "node"),
    "provider": ("provider",),
    "queue": ("queue", "region"),
}
_STATIONS: Final = tuple(_station_kinds())

SERIES: Final[tuple[SeriesKind, ...]] = (
    SeriesKind(
        "requests.offered",
        ("class", "origin"),
        "requests/s",
        _EVERY_SECOND,
        "Requests that arrived; a client's retries are not new requests.",
    ),
    SeriesKind(
        "requests.good",
        ("class", "origin"),
        "requests/s",
        _EVERY_SECOND,
        "Requests answered correctly and within their deadline.",
    ),
    SeriesKind(
        "requests.lost",
        ("class", "origin", "reason"),
        "requests/s",
        "every second from the first loss for that reason",
        "Requests that were not good, by what ended them (reasons below).",
    ),
    SeriesKind(
        "requests.served_at",
        ("class", "origin", "region"),
        "requests/s",
        "every second from the first one there",
        "Good answers by the region whose entry station gave them.",
    ),
    SeriesKind(
        "latency.p50",
        ("class",),
        "s",
        "every 5 s with an answer",
        "Median latency of answers in the last 10 s, late ones included.",
    ),
    SeriesKind("latency.p95", ("class",), "s", "every 5 s with an answer", "95th percentile, likewise."),
    SeriesKind("latency.p99", ("class",), "s", "every 5 s with an answer", "99th percentile, likewise."),
    SeriesKind(
        "service.utilisation",
        ("service", "region"),
        "share",
        "every 5 s with a slot up",
        "Busy share of the slots of the instances that are up.",
    ),
    SeriesKind("service.queue", ("service", "region"), "requests", _EVERY_FIVE, "Requests that wait at all instances together."),
    SeriesKind("service.instances", ("service", "region"), "instances", _EVERY_FIVE, "Instances that serve."),
    SeriesKind(
        "service.refused",
        ("service", "region"),
        "requests/s",
        "every 5 s while the service refuses, then one 0",
        "Attempts refused by the service's own queues and limiters: shed by priority, limited, or queue full.",
    ),
    SeriesKind(
        "service.refused_by", ("service", "region", "priority"), "requests/s", _REFUSING, "The same by priority of the request."
    ),
    SeriesKind(
        "service.admitted_by", ("service", "region", "priority"), "requests/s", _REFUSING, "Attempts let in, by priority."
    ),
    SeriesKind(
        "service.shed_below_limit",
        ("service", "region"),
        "requests/s",
        _REFUSING,
        "Attempts refused by priority while a slot was free.",
    ),
    SeriesKind(
        "service.dropped",
        ("service", "region"),
        "requests/s",
        _SHEDDING_BIN,
        "Attempts that were let in and dropped by the discipline of the queue (CoDel, `drop_expired`) when their turn came.",
    ),
    SeriesKind("service.dropped_by", ("service", "region", "priority"), "requests/s", _SHEDDING_BIN, "The same by priority."),
    *_STATIONS,
    SeriesKind(
        "edge.unsent",
        ("edge", "reason"),
        "calls/s",
        "every 5 s from the first one for that reason",
        "Attempts that failed before they left their caller: breaker open, bulkhead full, no connection, no address.",
    ),
    SeriesKind(
        "edge.cache_hits", ("edge",), "calls/s", _EVERY_FIVE, "Calls of a dependency with a cache that were answered from it."
    ),
    SeriesKind("edge.cache_misses", ("edge",), "calls/s", _EVERY_FIVE, "Such calls that had to be made."),
    SeriesKind(
        "edge.cache_joined", ("edge",), "calls/s", _EVERY_FIVE, "Such calls that waited for another one's answer to the same key."
    ),
    SeriesKind("queue.backlog", ("queue", "region"), "messages", _EVERY_FIVE, "Messages that wait to be delivered."),
    SeriesKind(
        "queue.dead_letters", ("queue", "region"), "messages", _EVERY_FIVE, "Messages so far whose every delivery has failed."
    ),
    SeriesKind(
        "database.lag", ("database", "node"), "s", _EVERY_FIVE, "How much older a replica's copy is than the newest write."
    ),
    SeriesKind(
        "database.primaries",
        ("database",),
        "nodes",
        "at the start and at changes; every second while it is not 1",
        "Nodes that take writes; two or more is a split brain.",
    ),
    SeriesKind(
        "edge.breaker_open",
        ("edge",),
        "0 or 1",
        "at changes, seen every 5 s",
        "Whether the circuit breaker of a dependency is open or half-open.",
    ),
    SeriesKind(
        "dns.share",
        ("origin", "region"),
        "share",
        "at the start and at changes",
        "Share of the origin's clients that go to the region: of their resolver caches, those that lead there.",
    ),
    SeriesKind(
        "class.value_lost", ("class",), "money", _EVERY_FIVE, "Money lost with lost requests so far, for classes with a price."
    ),
)
"""Every series a simulated day may write."""

_INTRODUCTION: Final = """\
# Series

Sampled values of a run are in `series.parquet`: rows of `name` (text), `labels` (a JSON object of texts), `t` (seconds from the
start of the run) and `value` (number; NaN where a value could not be had). A rate at `t` is that of the bin which ends at `t`.
Points exist only where there was something to say. The file holds replication 0.

```python
from pathlib import Path
from gameday.series import read_series

series = read_series(Path("results/my-run/series.parquet"))
good = series.one("requests.good", {"class": "checkout", "origin": "west"})
print(good.at(620.0), "requests per second")
series.write_csv(Path("series.csv"))
```
"""


def series_reference() -> str:
    """The whole page, in Markdown."""
    from gameday.report.words import LOST_WORDS

    lines = [_INTRODUCTION, "| series | labels | unit | sampled | meaning |", "|---|---|---|---|---|"]
    for kind in SERIES:
        labels = ", ".join(f"`{label}`" for label in kind.labels)
        lines.append(f"| `{kind.name}` | {labels} | {kind.unit} | {kind.sampled} | {kind.meaning} |")
    lines += [
        "",
        "## Reasons of loss",
        "",
        "Every lost request has exactly one reason: that of its last attempt, whichever call it came from.",
    ]
    lines += ["", "| reason | meaning |", "|---|---|", *(f"| `{name}` | {meaning} |" for name, meaning in LOST_WORDS.items())]
    return "\n".join(lines) + "\n"

"""Traces: the whole story of single requests, each with every attempt made on its behalf.

The rule that surprises: an attempt is seen from both sides at once. Its caller may have given up (`settled`) long before the visit ended
(`left`), or without it ever having begun (`started`); what went on after the request had its fate is not told.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from gameday.atomic_files import cannot
from gameday.errors import BadInput, Problem

OK: Final = "ok"
LOST_AFTER_ANSWER: Final = "LATE"
AT_ONCE: Final = frozenset({"REFUSED", "QUEUE_FULL", "SHED", "LIMITED", "READ_ONLY", "STALE", "RATE_LIMITED", "DNS", "NO_ROUTE"})
"""Reasons for which an attempt is turned away as soon as it arrives: what it took is the way there and back."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of one call. Times are seconds from the start of the run; None: it did not come to that."""

    number: int
    """Which try of its call: 0 is the first."""
    parent: int | None
    """Position in the trace of the attempt whose visit made the call; None: the client."""
    edge: str
    service: str
    """Where it went; empty when it was refused before it left its caller."""
    instance: str
    sent: float
    started: float | None = None
    """When it was given a slot."""
    left: float | None = None
    """When it gave the slot back."""
    settled: float | None = None
    """When its caller had the answer, or gave up."""
    outcome: str = ""
    """What its caller made of it: `ok`, or the reason of its failure; empty while the caller was still waiting."""

    @property
    def wait_s(self) -> float | None:
        """Time in the queue; None if it was never given a slot."""
        return None if self.started is None else self.started - self.sent


@dataclass(frozen=True, slots=True)
class Trace:
    """One request from outside, from its arrival to its fate."""

    request_class: str
    origin: str
    began: float
    ended: float
    outcome: str
    """`ok`, or the reason for which it was lost."""
    attempts: tuple[Attempt, ...]
    """In order of their sending."""

    @property
    def latency_s(self) -> float:
        """How long its client waited."""
        return self.ended - self.began

    @property
    def lost(self) -> bool:
        """Whether it counts as lost; LATE was answered, but too late."""
        return self.outcome != OK

    def line(self) -> str:
        """One line of `traces.jsonl`."""
        return json.dumps(asdict(self), ensure_ascii=False, allow_nan=False)


def to_bytes(traces: Iterable[Trace]) -> bytes:
    """The content of `traces.jsonl`."""
    return "".join(f"{trace.line()}\n" for trace in traces).encode()


def read_traces(path: Path) -> list[Trace]:
    """The traces of a run. BadInput that names each line that is none, GamedayError when the file cannot be read."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise BadInput([Problem(str(path), None, None, "", None, "is not UTF-8")]) from error
    except OSError as error:
        raise cannot("read", path, error) from error
    traces, problems = [], []
    for number, line in enumerate(lines, start=1):
        try:
            fields = json.loads(line)
            attempts = tuple(Attempt(**each) for each in fields.pop("attempts"))
            traces.append(Trace(**fields, attempts=attempts))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            problems.append(Problem(str(path), number, None, "", None, "is no trace, expected a line that `gameday run` wrote"))
    if problems:
        raise BadInput(problems)
    return traces


def culprit(trace: Trace) -> Attempt | None:
    """The attempt a lost request died of: from the client's last one down the failed calls that its visit made last."""
    found, parent = None, None
    while True:
        failed = [
            (position, each)
            for position, each in enumerate(trace.attempts)
            if each.parent == parent and each.outcome not in ("", OK)
        ]
        if not failed or (found is not None and failed[-1][1].outcome != found.outcome):
            return found
        parent, found = failed[-1]


def headline(trace: Trace) -> str:
    """What became of a request, in one sentence."""
    who = f"{trace.request_class} from {trace.origin}" if trace.origin != "everyone" else trace.request_class
    took = f"{trace.latency_s:.3f} s"
    if not trace.lost:
        return f"{who}: answered after {took}{_slowest_part(trace)}"
    if trace.outcome == LOST_AFTER_ANSWER:
        return f"{who}: answered too late, after {took}{_slowest_part(trace)}"
    died = culprit(trace)
    if died is None:
        return f"{who}: lost to {trace.outcome} after {took}"
    where = died.service or died.edge
    tries = _retries(trace, died)
    retries = f" after {tries} {'retry' if tries == 1 else 'retries'}" if tries else ""
    return f"{who}: died in {trace.outcome} at {where}{retries}, {took} after it came{_how(died)}"


def _retries(trace: Trace, attempt: Attempt) -> int:
    """How often this call and those it was made for had been tried before."""
    above = -1 if attempt.parent is None else attempt.parent
    return attempt.number + (_retries(trace, trace.attempts[above]) if above >= 0 else 0)


def _slowest_part(trace: Trace) -> str:
    waits = [(each.wait_s or 0.0, each.service) for each in trace.attempts]
    longest, where = max(waits, default=(0.0, ""))
    tries = sum(each.number > 0 for each in trace.attempts)
    parts = [f"longest wait {longest:.3f} s at {where}"] if longest > 0.0005 else []
    parts += [f"{tries} {'retry' if tries == 1 else 'retries'}"] if tries else []
    return f" ({', '.join(parts)})" if parts else ""


def _how(attempt: Attempt) -> str:
    """What the attempt did with its time until its caller knew."""
    if not attempt.service:
        return "; it was refused before it left its caller"
    end = attempt.settled
    assert end is not None, "a failed attempt is settled"
    if attempt.started is None:
        waited = end > attempt.sent and attempt.outcome not in AT_ONCE
        return f"; it had waited {end - attempt.sent:.3f} s in vain" if waited else ""
    work = min(attempt.left or end, end) - attempt.started
    return f"; it had waited {attempt.wait_s:.3f} s and held its slot for {work:.3f} s"


_WORTH_TELLING_S: Final = 0.002
"""Shorter waits, and shorter ways of an answer, are left out of a story."""


def story(trace: Trace) -> Iterator[str]:
    """A request's attempts, one a line, indented under the visit that made the call."""
    depths: list[int] = []
    for attempt in trace.attempts:
        depths.append(0 if attempt.parent is None else depths[attempt.parent] + 1)
        ends = f"{attempt.settled - attempt.sent:.3f} s" if attempt.settled is not None else "unanswered"
        tried = f", try {attempt.number + 1}" if attempt.number else ""
        where = attempt.instance or f"{attempt.edge} (never left)"
        parts = [f"+{attempt.sent - trace.began:7.3f} s  {'  ' * depths[-1]}{where}{tried}: {attempt.outcome or 'unanswered'}"]
        end = attempt.settled if attempt.left is None else attempt.left
        if attempt.started is not None:
            parts += [f"waited {attempt.wait_s:.3f} s"] if (attempt.wait_s or 0.0) >= _WORTH_TELLING_S else []
            parts.append("still held its slot" if end is None else f"held its slot {end - attempt.started:.3f} s")
        elif attempt.service:
            parts.append("never started")
        if attempt.settled is not None and attempt.outcome:
            told = attempt.sent if attempt.started is None or end is None else end
            parts += [f"in all {ends}"] if abs(attempt.settled - told) >= _WORTH_TELLING_S else []
        yield ", ".join(parts)


def otlp(traces: Iterable[Trace], starts_ns: int, run: str) -> dict[str, Any]:
    """The traces in the JSON form of the OpenTelemetry protocol (opentelemetry-proto, `TracesData`): ids in hex, times as strings of
    nanoseconds since 1970. `starts_ns` is when the run starts, `run` goes into every resource.
    """
    spans: dict[str, list[dict[str, Any]]] = {}
    for number, trace in enumerate(traces, start=1):
        trace_id = f"{number:032x}"
        facts: dict[str, Any] = {"gameday.class": trace.request_class, "gameday.origin": trace.origin}
        root = _span(trace_id, 1, None, trace.request_class, 3, (trace.began, trace.ended), starts_ns, trace.outcome, facts)
        spans.setdefault(f"clients/{trace.origin}", []).append(root)
        for position, attempt in enumerate(trace.attempts):
            parent = 1 if attempt.parent is None else attempt.parent + 2
            ends = attempt.left if attempt.settled is None else attempt.settled
            facts = {"gameday.try": attempt.number, "gameday.instance": attempt.instance}
            facts |= {} if attempt.wait_s is None else {"gameday.wait_s": attempt.wait_s}
            times = (attempt.sent, trace.ended if ends is None else ends)
            span = _span(trace_id, position + 2, parent, attempt.edge, 2, times, starts_ns, attempt.outcome, facts)
            if attempt.started is not None:
                span["events"] = [{"timeUnixNano": str(starts_ns + round(attempt.started * 1e9)), "name": "started"}]
            spans.setdefault(attempt.service or f"caller of {attempt.edge}", []).append(span)
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes({"service.name": service, "gameday.run": run})},
                "scopeSpans": [{"scope": {"name": "gameday"}, "spans": listed}],
            }
            for service, listed in spans.items()
        ]
    }


def _span(
    trace: str, number: int, parent: int | None, name: str, kind: int, times: tuple[float, float], starts_ns: int, outcome: str,
    facts: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    begin, end = (str(starts_ns + round(t * 1e9)) for t in times)
    span: dict[str, Any] = {"traceId": trace, "spanId": f"{number:016x}"}
    if parent is not None:
        span["parentSpanId"] = f"{parent:016x}"
    span |= {"name": name, "kind": kind, "startTimeUnixNano": begin, "endTimeUnixNano": end}
    span["attributes"] = _attributes({**facts, "gameday.outcome": outcome or "unanswered"})
    span["status"] = {"code": 1} if outcome == OK else {"code": 2, "message": outcome} if outcome else {"code": 0}
    return span


def _attributes(facts: dict[str, Any]) -> list[dict[str, Any]]:
    kinds = {str: "stringValue", int: "intValue", float: "doubleValue"}
    return [
        {"key": key, "value": {kinds[type(value)]: str(value) if isinstance(value, int) else value}}
        for key, value in facts.items()
    ]

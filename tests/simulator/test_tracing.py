"""Traces of a simulated day: true to what happened, few, and without any effect on it."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import sim
from gameday.errors import BadInput
from gameday.scenario import read_scenario
from gameday.scenario.model import Scenario
from gameday.scores import Recording
from gameday.traces import Attempt, Trace, culprit, headline, otlp, read_traces, story, to_bytes
from sim.tracing import KEPT

SHIPPED = Path(__file__).parents[2] / "scenarios" / "slow-dependency.yaml"


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    """Payments become slow after ten minutes; a quarter of an hour is enough."""
    return read_scenario(SHIPPED, ["duration=15m"])


@pytest.fixture(scope="module")
def day(scenario: Scenario) -> Recording:
    return sim.run(scenario, 1, traced=True)


def test_tracing_changes_nothing_of_the_day(scenario: Scenario, day: Recording) -> None:
    untraced = sim.run(scenario, 1)
    assert untraced.timeline.to_bytes() == day.timeline.to_bytes()
    assert untraced.traces == ()


def test_slow_good_and_lost_requests_are_kept_and_not_many(scenario: Scenario, day: Recording) -> None:
    fates = Counter((trace.request_class, trace.origin, trace.outcome) for trace in day.traces)
    assert {name for name, _, outcome in fates if outcome == "ok"} == set(scenario.load.classes)
    assert sum(count for (name, _, outcome), count in fates.items() if name == "checkout" and outcome == "TIMEOUT") >= KEPT
    assert max(fates.values()) <= 2 * KEPT
    assert max(count for (_, _, outcome), count in fates.items() if outcome != "ok") <= KEPT


def test_every_trace_is_told_in_an_order_that_can_have_happened(day: Recording) -> None:
    for trace in day.traces:
        assert trace.attempts[0].parent is None
        assert trace.began <= trace.ended
        for position, attempt in enumerate(trace.attempts):
            above = None if attempt.parent is None else trace.attempts[attempt.parent]
            earliest = trace.began if above is None else above.started
            assert earliest is not None
            assert attempt.parent is None or attempt.parent < position
            times = [t for t in (earliest, attempt.sent, attempt.started, attempt.left) if t is not None]
            assert times == sorted(times)
            assert attempt.settled is None or attempt.sent <= attempt.settled <= trace.ended
            assert attempt.outcome != "ok" or attempt.left is not None
        last = [each for each in trace.attempts if each.parent is None][-1]
        assert trace.outcome in (last.outcome, "LATE")


def test_lost_checkouts_died_at_the_slow_provider_or_in_the_jam_behind_it(day: Recording) -> None:
    places = {culprit(trace).service for trace in day.traces if trace.outcome == "TIMEOUT" and trace.request_class == "checkout"}  # type: ignore[union-attr]
    assert "provider/card-network" in places


def test_traces_survive_being_written_and_read(day: Recording, tmp_path: Path) -> None:
    file = tmp_path / "traces.jsonl"
    file.write_bytes(to_bytes(day.traces))
    assert tuple(read_traces(file)) == day.traces
    file.write_text('{"attempts": []}\nnonsense\n')
    with pytest.raises(BadInput) as caught:
        read_traces(file)
    assert [problem.line for problem in caught.value.problems] == [1, 2]


def _died() -> Trace:
    attempts = (
        Attempt(0, None, "client/buy", "edge@eu", "edge@eu-1/0", 10.0, 10.0, 11.5, 11.5, "TIMEOUT"),
        Attempt(0, 0, "edge -> payments", "payments@eu", "payments@eu-1/0", 10.1, 10.5, None, 10.8, "TIMEOUT"),
        Attempt(1, 0, "edge -> payments", "payments@eu", "payments@eu-1/1", 10.9, 11.3, 11.6, 11.5, "TIMEOUT"),
    )
    return Trace("buy", "east", 10.0, 11.5, "TIMEOUT", attempts)


def test_a_lost_request_says_where_it_died_and_of_what() -> None:
    text = headline(_died())
    assert text == (
        "buy from east: died in TIMEOUT at payments@eu after 1 retry, 1.500 s after it came; "
        "it had waited 0.400 s and held its slot for 0.200 s"
    )
    assert [line.partition(" s  ")[2].partition(",")[0] for line in story(_died())] == [
        "edge@eu-1/0: TIMEOUT",
        "  payments@eu-1/0: TIMEOUT",
        "  payments@eu-1/1",
    ]


def _plain(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    return {each["key"]: next(iter(each["value"].values())) for each in attributes}


def test_otlp_has_the_shape_of_the_protocol(day: Recording) -> None:
    """opentelemetry-proto: `TracesData` in its JSON form; ids in hex, 64 bit integers as strings, enums as numbers."""
    data = json.loads(json.dumps(otlp(day.traces, 1_700_000_000 * 10**9, "run-1")))
    spans: dict[tuple[str, str], dict[str, Any]] = {}
    for resource in data["resourceSpans"]:
        assert set(resource) == {"resource", "scopeSpans"}
        assert _plain(resource["resource"]["attributes"]).keys() == {"service.name", "gameday.run"}
        for span in resource["scopeSpans"][0]["spans"]:
            assert re.fullmatch("[0-9a-f]{32}", span["traceId"])
            assert re.fullmatch("[0-9a-f]{16}", span["spanId"])
            assert "0" * 16 not in (span["traceId"][16:], span["spanId"]), "an id of zeros is invalid"
            times = span["startTimeUnixNano"], span["endTimeUnixNano"]
            assert all(isinstance(t, str) and t.isdecimal() for t in times)
            assert 1_700_000_000 * 10**9 <= int(times[0]) <= int(times[1])
            assert (span["kind"], span["status"]["code"] in (0, 1, 2)) in {(2, True), (3, True)}
            assert all(set(each) == {"key", "value"} and len(each["value"]) == 1 for each in span["attributes"])
            spans[span["traceId"], span["spanId"]] = span
    assert len(spans) == sum(1 + len(trace.attempts) for trace in day.traces)
    for (trace, _), span in spans.items():
        if "parentSpanId" in span:
            assert (trace, span["parentSpanId"]) in spans
    roots = [span for span in spans.values() if "parentSpanId" not in span]
    assert Counter(span["status"].get("message", "ok") for span in roots) == Counter(trace.outcome for trace in day.traces)

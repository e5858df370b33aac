"""The timeline in memory: what may be added, in which order it is kept, and how it is asked."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.timeline import JSON, KINDS, Event, Events, Timeline, merge_timelines

TIMES = st.floats(-1e9, 1e9, allow_nan=False)


def note(t: float, text: str = "") -> Event:
    return Event(t, "note", "", "sim", {"text": text})


def paged() -> Timeline:
    timeline = Timeline({"scenario": "example"})
    timeline.add(10.0, "alert.firing", "service/checkout", "sim", {"rule": "errors", "severity": "page"})
    timeline.add(
        12.0, "page.sent", "incident/1", "sim", {"page": 1, "person": "a", "level": 1, "channel": "call", "urgency": "high"}
    )
    timeline.add(12.0, "page.delivered", "incident/1", "sim", {"page": 1, "person": "a"})
    timeline.add(40.0, "page.acknowledged", "incident/1", "human", {"page": 1, "person": "a", "after_s": 28.0})
    timeline.add(50.0, "page.delivered", "incident/2", "sim", {"page": 2, "person": "b"})
    return timeline


@given(st.lists(TIMES))
def test_events_are_kept_in_order_of_time_and_then_of_adding(times: list[float]) -> None:
    timeline = Timeline()
    for position, time in enumerate(times):
        timeline.append(note(time, str(position)))
    keys = [(event.t, int(event.text("text"))) for event in timeline]
    assert keys == sorted(keys)
    assert len(timeline) == len(times)


def test_times_are_rounded_to_microseconds_when_an_event_is_made() -> None:
    event = Event(0.12345678, "note", "", "live", {"text": ""}, wall=1.00000049)
    assert (event.t, event.wall) == (0.123457, 1.0)
    assert str(note(-1e-9).t) == "0.0"


def test_two_events_of_one_microsecond_stay_in_the_order_of_adding() -> None:
    timeline = Timeline()
    timeline.append(note(1.0000004, "first"))
    timeline.append(note(1.0000001, "second"))
    assert [event.text("text") for event in timeline] == ["first", "second"]


def test_patterns_choose_kinds() -> None:
    timeline = paged()
    assert [event.kind for event in timeline.of("page.*")] == [
        "page.sent",
        "page.delivered",
        "page.acknowledged",
        "page.delivered",
    ]
    assert [event.kind for event in timeline.of("alert.firing", "page.s*")] == ["alert.firing", "page.sent"]
    assert list(timeline.of("pag")) == []


def test_a_window_holds_its_start_and_not_its_end() -> None:
    timeline = paged()
    assert [event.t for event in timeline.between(12.0, 40.0)] == [12.0, 12.0]
    assert [event.t for event in timeline.of("page.*").between(40.0, 50.1)] == [40.0, 50.0]


@given(st.lists(TIMES), TIMES, TIMES, TIMES)
def test_windows_that_touch_share_no_event_and_lose_none(times: list[float], a: float, b: float, c: float) -> None:
    start, middle, end = sorted((a, b, c))
    timeline = Events(note(time) for time in times)
    parts = [*timeline.between(start, middle), *timeline.between(middle, end)]
    assert parts == list(timeline.between(start, end))


def test_the_first_event_may_be_asked_for_by_kind_subject_and_time() -> None:
    timeline = paged()
    assert timeline.first("page.*") == timeline[1]
    assert timeline.first("page.delivered", subject="incident/2") == timeline[4]
    assert timeline.first("page.delivered", after=12.0) == timeline[2]
    assert timeline.first("page.delivered", after=12.000001) == timeline[4]
    assert timeline.first("page.missed") is None


@pytest.mark.parametrize(
    ("kind", "data", "message"),
    [
        ("page.send", {}, "page.send is not a kind of event; did you mean page.sent"),
        ("page.delivered", {"page": 1}, "page.delivered lacks person"),
        ("page.delivered", {"page": 1, "person": "a", "persn": "b"}, "no key persn; did you mean person"),
        ("page.acknowledged", {"page": 1, "person": "a", "after_s": "28"}, "after_s is '28' and must be a number"),
        ("page.acknowledged", {"page": 1, "person": "a", "after_s": True}, "after_s is True and must be a number"),
        ("database.role", {"node": "n", "role": "leader"}, "must be one of primary, replica, fenced, down"),
        ("database.lag", {"node": "n", "lag_s": None}, "lag_s is None"),
        ("impact.started", {"flow": "buy", "good_ratio": 0.5, "objective": 0.99}, "must be `class/<name>`"),
    ],
)
def test_an_event_that_the_table_does_not_allow_is_a_bug(kind: str, data: dict[str, object], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        Timeline().append(Event(0.0, kind, "service/x", "sim", data))  # type: ignore[arg-type]


def test_all_that_is_wrong_with_an_event_is_said_at_once() -> None:
    with pytest.raises(AssertionError, match=r"lacks scenario; run\.started lacks seed") as failure:
        Timeline().add(0.0, "run.started", "x", "reality", {"replication": 0, "duration_s": 1.0, "extra": 1})  # type: ignore[arg-type]
    assert "extra" in str(failure.value)
    assert "reality" in str(failure.value)


def test_an_optional_key_may_be_left_out_or_be_null() -> None:
    timeline = Timeline()
    data: dict[str, JSON] = {"flow": "buy", "good_ratio": 0.5, "objective": 0.99}
    timeline.add(0.0, "impact.started", "class/buy", "sim", data)
    timeline.add(0.0, "impact.started", "class/buy@eu-1", "sim", {**data, "cause": None, "lost": 3})
    assert len(timeline) == 2


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1: 2}, {"a", "b"}])
def test_what_json_cannot_hold_never_enters_an_event(value: object) -> None:
    with pytest.raises(AssertionError, match="key"):
        Event(0.0, "note", "", "sim", {"key": value})  # type: ignore[dict-item]


@pytest.mark.parametrize("time", [float("nan"), float("inf")])
def test_a_time_is_finite(time: float) -> None:
    with pytest.raises(AssertionError, match="finite"):
        note(time)


def test_numbers_of_numpy_become_numbers_of_python() -> None:
    data = {"a": np.float64(0.5), "b": np.int64(3), "c": np.bool_(True), "d": (np.float32(0.25), 1)}
    event = Event(np.float64(1.5), "note", "", "sim", data)  # type: ignore[arg-type]
    assert event.data == {"a": 0.5, "b": 3, "c": True, "d": [0.25, 1]}
    assert [type(event.data[key]) for key in "abc"] == [float, int, bool]
    assert type(event.t) is float


def test_an_event_does_not_change_when_the_data_it_was_made_from_does() -> None:
    data = {"text": "before", "more": [1]}
    event = Event(0.0, "note", "", "sim", data)  # type: ignore[arg-type]
    data["text"] = "after"
    data["more"].append(2)  # type: ignore[attr-defined]
    assert event.data == {"text": "before", "more": [1]}


def test_events_can_be_members_of_sets() -> None:
    assert len({note(1.0, "a"), note(1.0, "a"), note(1.0, "b")}) == 2


def test_a_typed_question_refuses_another_type() -> None:
    event = paged()[1]
    assert (event.number("page"), event.text("person")) == (1.0, "a")
    with pytest.raises(TypeError, match="not a number"):
        event.number("person")
    with pytest.raises(TypeError, match="not a text"):
        event.text("page")
    with pytest.raises(KeyError):
        event.text("absent")


def test_a_timeline_survives_the_way_to_another_process() -> None:
    timeline = paged()
    copy = pickle.loads(pickle.dumps(timeline))
    assert copy == timeline
    assert (copy.header, copy.digest()) == (timeline.header, timeline.digest())


def test_merging_goes_by_time_and_then_by_argument() -> None:
    load, chaos = Timeline({"run": "r", "process": "load"}), Timeline({"run": "r", "process": "chaos"})
    for time in (1.0, 2.0):
        load.append(note(time, "load"))
        chaos.append(note(time, "chaos"))
    chaos.append(note(0.5, "chaos"))
    merged = merge_timelines([load, chaos])
    assert [(event.t, event.text("text")) for event in merged] == [
        (0.5, "chaos"),
        (1.0, "load"),
        (1.0, "chaos"),
        (2.0, "load"),
        (2.0, "chaos"),
    ]
    assert merged.header == {"run": "r"}
    assert len(merge_timelines([])) == 0


def test_the_digest_depends_on_every_field_and_on_nothing_else() -> None:
    assert paged().digest() == paged().digest()
    digests = {
        Timeline(header, [event]).digest()
        for header, event in [
            ({}, note(1.0, "a")),
            ({"seed": 1}, note(1.0, "a")),
            ({}, note(2.0, "a")),
            ({}, note(1.0, "b")),
            ({}, Event(1.0, "note", "x", "sim", {"text": "a"})),
            ({}, Event(1.0, "note", "", "live", {"text": "a"})),
            ({}, Event(1.0, "note", "", "sim", {"text": "a"}, wall=5.0)),
        ]
    }
    assert len(digests) == 7


def test_the_order_in_which_keys_were_written_does_not_reach_the_bytes() -> None:
    first = Event(0.0, "note", "", "sim", {"a": 1, "b": {"c": 1, "d": 2}})
    second = Event(0.0, "note", "", "sim", {"b": {"d": 2, "c": 1}, "a": 1})
    assert first.line() == second.line()


def test_every_kind_of_the_design_is_in_the_table() -> None:
    families = {
        "run": "started ended aborted",
        "fault": "injected proven healed failed",
        "impact": "started ended",
        "alert": "pending firing notified suppressed resolved",
        "page": "sent delivered acknowledged escalated missed",
        "incident": "declared severity role phase resolved",
        "decision": "proposed approved rejected made",
        "action": "started succeeded failed",
        "failover": "triggered promoted completed failed rolled_back",
        "failback": "requested approved completed",
        "database": "role lag",
        "writes": "summary",
        "shedding": "started ended",
        "breaker": "opened closed",
        "scaling": "requested ready",
        "message": "drafted approved published",
        "inquiry": "received answered",
        "clock": "started met late",
        "cost": "accrued",
        "postmortem": "drafted published",
    }
    wanted = {f"{family}.{state}" for family, states in families.items() for state in states.split()}
    assert wanted <= set(KINDS)


def test_events_can_be_had_without_numpy() -> None:
    code = (
        "import sys; from gameday.timeline import Timeline; from gameday.timeline_files import parse_timeline;"
        "import gameday.runfolder, gameday.timeline_reference;"
        "t = Timeline(); t.add(0.0, 'run.ended', 'x', 'sim'); parse_timeline(t.to_bytes(), 'x');"
        "print(sorted({'numpy', 'pyarrow', 'pydantic', 'simpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"

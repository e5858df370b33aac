"""Support hours, the time of an acknowledgement, and what a paging service does not send."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gameday.contacts import GOALERT, SendingLimits
from gameday.escalation import Call, Directory, EscalationMachine
from gameday.scenario.response import Escalation, Response
from gameday.scores import score
from gameday.scores.model import Recording
from tests.people.small import Played, play

LEVELS = {"levels": [{"notify": ["person/ana"], "after": 300}, {"notify": ["person/bo"], "after": 300}], "repeat": 0}


def machine(urgent_s: float = 0.0, **policy: object) -> EscalationMachine:
    found = Escalation.model_validate({**LEVELS, **policy})
    return EscalationMachine(found, lambda target, _: [target.partition("/")[2]], "page/1", lambda now: max(now, urgent_s))


def test_outside_support_hours_a_page_is_quiet_and_escalates_to_nobody_until_they_begin() -> None:
    page = machine(urgent_s=3600.0)
    (quiet,) = page.start(0.0)
    assert isinstance(quiet, Call)
    assert (quiet.people, quiet.urgency, page.next_at()) == (("ana",), "low", 3600.0)
    assert page.tick(600.0) == []
    calls = [one for one in page.tick(3600.0) if isinstance(one, Call)]
    assert [(one.people, one.urgency, one.level) for one in calls] == [(("ana",), "high", 1)]
    assert page.next_at() == 3900.0


def test_a_quiet_page_that_was_taken_does_not_become_urgent() -> None:
    page = machine(urgent_s=3600.0)
    page.start(0.0)
    assert page.acknowledge(60.0, "ana")
    assert page.next_at() is None


def test_an_acknowledged_page_calls_its_level_again_when_its_time_is_over() -> None:
    page = machine(acknowledgement_timeout=1800)
    page.start(0.0)
    page.tick(300.0)
    assert page.acknowledge(400.0, "bo")
    assert page.next_at() == 2200.0
    calls = [one for one in page.tick(2200.0) if isinstance(one, Call)]
    assert [(one.people, one.level) for one in calls] == [(("bo",), 2)]
    assert page.state == "waiting"


def test_a_page_that_ended_is_never_called_again() -> None:
    page = machine(acknowledgement_timeout=1800)
    page.start(0.0)
    page.acknowledge(10.0, "ana")
    page.end()
    assert page.next_at() is None


def test_support_hours_are_those_of_the_team_on_its_own_clock() -> None:
    from datetime import UTC, datetime

    hours = {"timezone": "America/New_York", "always": ["gone"]}
    cast = Response.model_validate(
        {"people": {"ana": {}}, "teams": {"shop": {"members": ["ana"], "support_hours": hours}, "ops": {"members": ["ana"]}}}
    )
    # Friday 16:59 in New York, two days before its clocks go forward on Sunday 8 March 2026.
    directory = Directory(cast, datetime(2026, 3, 6, 21, 59, tzinfo=UTC))
    assert directory.urgent_from("shop", ["errors"], 0.0) == 0.0
    monday_nine = (datetime(2026, 3, 9, 13, 0, tzinfo=UTC) - datetime(2026, 3, 6, 21, 59, tzinfo=UTC)).total_seconds()
    assert directory.urgent_from("shop", ["errors"], 60.0) == monday_nine
    assert directory.urgent_from("shop", ["gone"], 60.0) == 60.0
    assert directory.urgent_from("ops", ["errors"], 60.0) == 60.0
    assert directory.urgent_from(None, ["errors"], 60.0) == 60.0


@given(st.lists(st.floats(0, 1200), min_size=1, max_size=60), st.sampled_from(["voice", "sms", "push"]))
def test_no_window_ever_holds_more_messages_than_its_limit(gaps: list[float], method: str) -> None:
    limits, now, sent = SendingLimits(GOALERT), 0.0, []
    for gap in gaps:
        now += gap
        free = limits.free_at("ana", method, now)  # type: ignore[arg-type]
        assert free >= now
        if free == now:
            limits.sent("ana", method, now)  # type: ignore[arg-type]
            sent.append(now)
    for most, window_s in GOALERT[method]:  # type: ignore[index]
        assert all(sum(start <= t < start + window_s for t in sent) <= most for start in sent)


def test_limits_are_of_one_person_and_one_way() -> None:
    limits = SendingLimits(GOALERT)
    limits.sent("ana", "push", 0.0)
    assert limits.free_at("ana", "push", 10.0) == 60.0
    assert limits.free_at("ana", "sms", 10.0) == limits.free_at("bo", "push", 10.0) == 10.0


CALLS = {"by": "voice"}
STORM = {
    "duration": "15m",
    "monitoring": {
        "rules": {
            f"r{n}": {"kind": "threshold", "on": "class/buy", "indicator": "error_ratio", "above": f"{10 + n}%", "window": "30s"}
            for n in range(8)
        },
        "grouping": {"by": ["rule"], "wait": "10s"},
    },
    "response": {
        "people": {"ana": {"contacts": [CALLS]}, "bo": {"contacts": [CALLS]}},
        "escalations": {
            "default": {"levels": [{"notify": ["person/ana"], "after": "2m"}, {"notify": ["person/bo"], "after": "2m"}]}
        },
        "timing": {"miss": 1},
    },
}


def reached(played: Played) -> int:
    return len(played.of("page.sent"))


def test_an_alert_storm_loses_pages_where_the_service_has_limits() -> None:
    unlimited, limited = play(STORM), play(STORM, {"response": {"pager_limits": "goalert"}})
    assert reached(limited) <= reached(unlimited) / 2
    assert limited.notes("the pager sends no more by voice"), "what is held back is on record"


def oracle(played: Played) -> float | None:
    return score(Recording(played.timeline), played.scenario).result("response.escalation_correctness").value


def test_the_oracle_agrees_with_the_pager_about_urgency_and_time() -> None:
    quiet = {"timezone": "UTC", "starts": "10:08", "ends": "17:00"}
    night = {"response": {"teams": {"shop": {"support_hours": quiet}}, "timing": {"miss": 1}}}
    assert oracle(play(night)) == 1.0
    assert [page.data["urgency"] for page in play(night).of("page.sent")][:2] == ["low", "high"]
    again = {"response": {"escalations": {"default": {"acknowledgement_timeout": "3m"}}, "timing": {"diagnose": {"median": 900}}}}
    assert oracle(play(again)) == 1.0
    assert len(play(again).of("page.sent")) > 1

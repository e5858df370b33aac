"""Plans that go wrong in nasty ways: the day ends, somebody is named, and nobody is called who should not be."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.people.small import Played, fixed, play

DEAF: dict[str, Any] = {"response": {"timing": {"miss": 1, "miss_asleep": 1}}}
ASLEEP = {"asleep": ["09:00", "18:00"]}


def called(played: Played) -> list[str]:
    return [str(event.data["person"]) for event in played.of("page.sent")]


def one_level(*notify: str, **more: Any) -> dict[str, Any]:
    return {"response": {"escalations": {"default": {"levels": [{"notify": list(notify)}], **more}}}}


def test_one_person_on_every_level_in_three_ways_is_called_once_a_level_and_the_loops_end() -> None:
    ana = {
        "rotas": {"r": {"people": ["ana"], "shift": "1d", "starts": "2026-03-01T00:00:00"}},
        "teams": {"shop": {"members": ["ana"]}},
    }
    levels = [{"notify": ["person/ana", "rota/r", "team/shop"], "after": "1m"}, {"notify": ["rota/r"], "after": "1m"}]
    loops = {"response": {**ana, "escalations": {"default": {"levels": levels, "repeat": 3}}}}
    played = play(loops, DEAF)
    assert called(played) == ["ana"] * 8
    assert played.notes("is given up at level 2")
    assert len(play(loops).of("page.acknowledged")) == 1


def test_a_storm_of_texts_runs_into_the_limits_and_what_is_not_sent_is_told() -> None:
    rules = {
        f"r{number}": {
            "kind": "threshold",
            "on": "class/buy",
            "indicator": "error_ratio",
            "above": f"{5 + number}%",
            "window": "30s",
        }
        for number in range(25)
    }
    storm = {
        "monitoring": {"rules": {"errors": None, **rules}, "grouping": {"by": ["rule"]}},
        "response": {"people": {"ana": {"contacts": [{"by": "sms"}]}}, "pager_limits": "goalert", "escalations": None},
    }
    played = play(storm, one_level("person/ana"), DEAF)
    sent = [event.t for event in played.of("page.sent")]
    for t in sent:
        assert sum(t - 900.0 < other <= t for other in sent) <= 5, "five texts in a quarter of an hour"
    assert played.notes("the pager sends no more by sms")
    assert played.of("run.ended")


@pytest.mark.parametrize(
    ("starts", "first", "second"),
    [
        # Berlin, 29 March: 02:00 becomes 03:00; the hand-over at 02:30 falls into the gap and happens at 03:30 (01:30 UTC).
        ("2026-03-29T00:35:00+00:00", "ana", "bo"),
        # Berlin, 25 October: 03:00 becomes 02:00; 02:30 comes twice, and the first one hands over.
        ("2026-10-25T00:10:00+00:00", "ana", "bo"),
    ],
)
def test_a_hand_over_in_the_hour_that_the_clocks_skip_or_repeat_calls_one_person_at_a_time(
    starts: str, first: str, second: str
) -> None:
    rota = {
        "people": ["bo", "ana"],
        "shift": "1d",
        "starts": f"{starts[:8]}{int(starts[8:10]) - 2:02}T02:30:00",
        "timezone": "Europe/Berlin",
    }
    twice = {
        "starts": starts,
        "duration": "75m",
        "schedule": {"faults": ["errors service/shop ratio=100% at 3m for 4m", "errors service/shop ratio=100% at 57m for 10m"]},
        "response": {
            "people": {"ana": {"timezone": "UTC", "asleep": ["12:00", "13:00"]}, "bo": {"asleep": ["12:00", "13:00"]}},
            "rotas": {"r": rota},
        },
    }
    people = called(play(twice, one_level("rota/r", repeat=0)))
    assert people[0] == first
    assert people[-1] == second
    assert set(people) == {first, second}


def test_an_override_in_a_gap_of_the_rota_is_called_and_the_rest_of_the_gap_calls_nobody() -> None:
    gap = {
        "people": ["ana"],
        "shift": "1d",
        "starts": "2026-03-01T00:00:00",
        "timezone": "UTC",
        "only": [{"starts": "00:00", "ends": "09:00"}],
    }
    override = {"person": "di", "starts": "2026-03-02T10:00:00", "ends": "2026-03-02T10:10:00"}
    late = {"schedule": {"faults": ["errors service/shop ratio=100% at 12m"]}}
    for fault, people in (({}, ["di"]), (late, [])):
        played = play({"response": {"rotas": {"r": {**gap, "overrides": [override]}}}}, one_level("rota/r", repeat=0), fault)
        assert called(played) == people
        assert people or played.notes("given up")


def test_a_night_without_anybody_who_may_approve_lead_or_speak_still_ends() -> None:
    office = {"only_in_office": True}
    plan = {
        "starts": "2026-03-02T02:00:00+00:00",
        "duration": "40m",
        "response": {
            "people": {"bo": office, "cy": office, "di": office},
            "roles": {
                "incident_commander": ["bo"],
                "communications": ["cy"],
                "legal": ["di"],
                "deputy": ["bo"],
                "operations": ["cy"],
            },
        },
        "communication": {"audiences": {"customers": {"approvals": ["legal"], "spokespersons": ["legal"]}}},
    }
    played = play(plan)
    assert played.of("incident.resolved")
    assert played.first("action.started").data["by"] == "ana", "the first responder does it all"
    assert not played.of("message.published")


def test_people_who_hold_every_role_at_once_never_wait_for_each_other_for_ever() -> None:
    both = ["ana", "bo"]
    roles = dict.fromkeys(("incident_commander", "deputy", "operations", "liaison", "communications", "scribe", "legal"), both)
    staff = {"channel": "chat", "severities": ["sev1"], "first_within": "1h"}
    plan = {
        "duration": "60m",
        "response": {
            "people": {"cy": None, "di": None},
            "roles": roles,
            "timing": {"diagnose": fixed(600), "hand_over": fixed(60)},
            "command": {
                "rotate_after": "4m",
                "deputy_after": "1m",
                "status_requests": {"every": "2m", "answer": fixed(20)},
                "bridge": {"join": both, "protocol": False},
            },
        },
        "communication": {
            "audiences": {"executives": staff, "support": staff, "customers": {"approvals": ["legal"]}},
            "reminders": "people",
            "scoping": True,
        },
    }
    for replication in range(3):
        played = play(plan, replication=replication)
        assert played.of("diagnosis.concluded"), "somebody finds the cause"
        assert played.of("run.ended")
        commanders = [event.data["person"] for event in played.of("incident.role", role="incident_commander")]
        assert all(one != other for one, other in itertools.pairwise(commanders))

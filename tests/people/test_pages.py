"""Pages: who is called, how often, and what becomes of a page that nobody takes."""

from __future__ import annotations

import itertools
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from simpy import Environment

from sim.people.cast import Cast
from tests.people.small import fixed, play, scenario

NOBODY = {"response": {"timing": {"miss": 1, "miss_asleep": 1}}}
TWO_RULES = {
    "monitoring": {
        "rules": {
            "second": {
                "kind": "threshold",
                "on": "service/shop",
                "indicator": "error_ratio",
                "above": "50%",
                "window": "1m",
                "team": "shop",
            }
        },
        "grouping": {"interval": "1m"},
    }
}
NOISE = {"monitoring": {"rules": {"errors": None}, "false_alarms": {"per_day": 60}}, "schedule": {"faults": []}}


def levels(**after: str) -> dict[str, Any]:
    """An escalation of one person per level."""
    steps = [{"notify": [f"person/{person}"], "after": wait} for person, wait in after.items()]
    return {"response": {"escalations": {"default": {"levels": steps}}}}


def test_an_open_page_calls_nobody_again_when_its_group_grows() -> None:
    played = play(TWO_RULES, {"response": {"timing": {"notice": fixed(200)}}})
    notified = [event for event in played.of("alert.notified") if event.t < played.first("page.acknowledged").t]
    assert len(notified) == 2
    assert len([event for event in played.of("page.sent") if event.t < 500.0]) == 1


def test_a_page_climbs_as_its_policy_says_and_is_given_up_on_record() -> None:
    played = play(NOBODY, levels(ana="2m", bo="3m"), {"response": {"escalations": {"default": {"repeat": 1}}}})
    start = played.first("page.sent").t
    sent = [(round(event.t - start, 6), event.data["person"], event.data["level"]) for event in played.of("page.sent")]
    assert sent == [(0.0, "ana", 1), (120.0, "bo", 2), (300.0, "ana", 1), (420.0, "bo", 2)]
    given_up = played.notes("is given up")
    assert [round(event.t - start, 6) for event in given_up] == [600.0]
    assert len(played.of("page.missed")) == 4
    assert not played.of("incident.declared")


def test_an_acknowledgement_stops_the_escalation() -> None:
    played = play(levels(ana="2m", bo="3m"))
    assert [event.data["person"] for event in played.of("page.sent")] == ["ana"]
    assert not played.of("page.escalated")


def test_a_page_that_is_over_before_it_is_noticed_is_acknowledged_by_nobody() -> None:
    brief = {
        "schedule": {"faults": ["errors service/shop ratio=100% at 3m for 40s"]},
        "monitoring": {"grouping": {"interval": "1m"}},
    }
    played = play(brief, {"response": {"timing": {"notice": fixed(1000)}}})
    assert played.of("page.delivered")
    assert not played.of("page.acknowledged", "page.escalated")


@pytest.mark.parametrize(
    ("timezone", "sleeps"),
    [("UTC", False), ("Europe/Berlin", False), ("America/Los_Angeles", True), ("Asia/Tokyo", False), ("Pacific/Auckland", True)],
)
def test_people_sleep_by_the_clock_on_their_own_wall(timezone: str, sleeps: bool) -> None:
    played = play({"response": {"people": {"ana": {"timezone": timezone}}}})
    after_s = played.first("page.acknowledged").number("after_s")
    assert after_s == pytest.approx(205.0 if sleeps else 65.0, rel=0.1)


def test_who_was_woken_needs_the_time_of_the_woken_and_thinks_slower() -> None:
    day, night = play(), play({"starts": "2026-03-02T03:00:00+00:00"})
    engage = [played.first("responder.engaged", person="ana").t - played.first("page.acknowledged").t for played in (day, night)]
    think = [played.first("diagnosis.concluded").t - played.first("diagnosis.started").t for played in (day, night)]
    assert engage == [pytest.approx(30.0, rel=0.1), pytest.approx(300.0, rel=0.1)]
    assert think[1] / think[0] == pytest.approx(1.25, abs=0.03)


def test_who_sits_at_the_dashboards_sees_the_next_page_at_once() -> None:
    second = {
        "monitoring": {"rules": {"second": {"kind": "absence", "on": "region/b", "window": "30s", "team": "other"}}},
        "response": {"teams": {"other": {"members": ["ana"]}}},
        "schedule": {"faults": ["errors service/shop@a ratio=100% at 3m", "kill region/b at 6m for 10m"]},
    }
    played = play(second)
    page = played.first("page.acknowledged", page="page/2")
    assert page.number("after_s") == pytest.approx(5.0 + 15.0)
    assert len(played.of("responder.engaged", person="ana")) == 1
    assert len(played.of("incident.declared")) == 1


def test_of_many_pages_at_once_fewer_are_noticed() -> None:
    rules = {
        f"r{number}": {"kind": "threshold", "on": "class/buy", "indicator": "error_ratio", "above": "20%", "window": "30s"}
        for number in range(5)
    }
    flood = {
        "monitoring": {"rules": rules, "grouping": {"by": ["rule"]}},
        "response": {
            "teams": {f"t{number}": {"members": ["ana"]} for number in range(5)},
            "timing": {"notice": {"median": 300, "sigma": 0.5}},
        },
    }
    rules |= {name: {**rule, "team": f"t{name[1:]}"} for name, rule in rules.items()}
    alone = sum(len(play(replication=n).of("page.missed")) for n in range(6))
    noticed: Counter[str] = Counter()
    for n in range(6):
        played = play(flood, {"monitoring": {"rules": {"errors": None}}}, replication=n)
        start = played.first("page.sent").t
        noticed["missed"] += len([event for event in played.of("page.missed") if event.t < start + 10.0])
        noticed["sent"] += len([event for event in played.of("page.sent") if event.t < start + 10.0])
    assert alone == 0
    assert noticed["sent"] == 30
    # Each of five that wait at once is noticed with 0.7^4 = 0.24: 22.8 of 30 are missed, give or take 2.3.
    assert 16 <= noticed["missed"] <= 29


def test_what_somebody_has_been_paged_about_again_and_again_is_heeded_less() -> None:
    """Closed form: after 20 pages of the past and k more of which k - 1 are repeats, 0.9 ^ (20 (k - 1) / (20 + k))."""
    world: Any = SimpleNamespace(scenario=scenario(), env=Environment())
    cast = Cast(world)
    heeded = []
    for _ in range(20):
        cast.paged("ana", ("errors",))
        heeded.append(cast.fatigue("ana"))
    assert heeded[0] == 1.0
    assert heeded[1] == pytest.approx(0.9 ** (20 * 1 / 22))
    assert heeded[19] == pytest.approx(0.9 ** (20 * 19 / 40))
    for number in range(20):
        cast.paged("bo", (f"rule {number}",))
    assert cast.fatigue("bo") == 1.0, "twenty pages about twenty things tire nobody of any"


def test_a_page_about_nothing_is_closed_as_a_false_alarm_after_a_long_look() -> None:
    played = play(NOISE)
    first = played.first("page.acknowledged")
    closed = played.notes("sees nothing wrong")[0]
    assert closed.t == pytest.approx(first.t + 30.0 + 900.0, abs=5.0)
    assert not played.of("incident.declared", "incident.resolved", "message.drafted")


def test_who_looks_into_a_false_alarm_is_at_the_desk_when_the_real_one_comes() -> None:
    noise = {"monitoring": {"false_alarms": {"per_day": 500}}, "schedule": {"faults": ["errors service/shop ratio=100% at 10m"]}}
    played = play(noise, replication=2)
    engaged = played.first("responder.engaged")
    assert engaged.t < 600.0
    declared = played.first("incident.declared")
    assert declared.t < 660.0, "they see it on the graphs before its own page"


def test_a_second_outage_after_the_end_of_the_first_is_paged_again() -> None:
    twice = {
        "duration": "40m",
        "schedule": {"faults": ["errors service/shop ratio=100% at 3m", "errors service/shop ratio=100% at 20m"]},
        "monitoring": {"grouping": {"interval": "30s"}},
    }
    played = play(twice)
    assert {event.data["page"] for event in played.of("page.sent")} == {"page/1", "page/2"}
    assert [event.subject for event in played.of("incident.declared")] == ["incident/1", "incident/2"]
    assert [event.subject for event in played.of("incident.resolved")] == ["incident/1", "incident/2"]


def test_a_late_page_about_what_is_over_and_handled_opens_no_second_incident() -> None:
    late = {"kind": "threshold", "on": "class/buy", "indicator": "error_ratio", "above": "10%", "window": "10m", "for": "8m"}
    played = play({"monitoring": {"rules": {"late": {**late, "team": "other"}}}, "duration": "40m"})
    resolved = played.first("incident.resolved").t
    assert [event for event in played.of("responder.engaged") if event.t > resolved]
    assert played.notes("sees nothing wrong")
    assert len(played.of("incident.declared")) == 1


def test_a_group_whose_page_was_closed_by_the_team_pages_again_when_it_goes_on() -> None:
    flapping = {
        "duration": "60m",
        "monitoring": {
            "rules": {"errors": {"keep_firing_for": "40m"}},
            "grouping": {"interval": "1m", "repeat": "5m"},
        },
    }
    played = play(flapping)
    resolved = played.first("incident.resolved").t
    again = [event.t for event in played.of("page.sent") if event.t > resolved]
    assert again, "the alert still fires: the next notification is a new page"
    assert played.notes("sees nothing wrong")


def test_without_a_policy_it_is_noted_that_nobody_is_paged() -> None:
    played = play({"response": {"escalations": {"=": {}}}})
    assert played.notes("nobody is paged")
    assert not played.of("page.sent")


def test_a_woken_person_sleeps_again_when_the_false_alarm_is_over() -> None:
    night = {"starts": "2026-03-02T00:00:00+00:00", "duration": "6h", "load": {"classes": {"buy": {"rate": "1/s"}}}}
    played = play(NOISE, night, {"monitoring": {"false_alarms": {"per_day": 20}}})
    taken = played.of("page.acknowledged", person="ana")
    later = [after for before, after in itertools.pairwise(taken) if after.t - before.t > 300.0 + 900.0 + 1800.0 + 300.0]
    assert later
    assert all(event.number("after_s") > 150.0 for event in later)

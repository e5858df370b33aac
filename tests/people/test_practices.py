"""What a team does well must show: the same days with and without a practice, and the difference has its sign.

Pairs of days share their seed (common random numbers). A difference counts when its 99 % interval, by Student's t over the pairs, does
not hold zero; a day that never gets there is taken as the whole day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.people.small import Played, fixed, play

PAIRS = 22
MORE_PAIRS = 48
BY_CHANCE = (
    "a runbook for the component shortens diagnosis",
    "knowing the component shortens diagnosis",
    "a second level leaves fewer pages unanswered",
)
"""Practices that hang on chances of yes and no: they need more pairs."""
NIGHT = {"starts": "2026-03-02T02:00:00+00:00"}
HUMAN = {
    "response": {
        "timing": {
            "notice": {"median": 120, "sigma": 0.9},
            "notice_asleep": {"median": 240, "sigma": 0.9},
            "miss": 0.05,
            "miss_asleep": 0.15,
            "diagnose": {"median": 300, "sigma": 0.6},
            "wrong_turn": 0.2,
        }
    },
    "load": {"classes": {"buy": {"rate": "2/s"}}},
    "duration": "14m",
}
BLIND = {
    "schedule": {"faults": ["kill region/a at 3m for 30m"]},
    "monitoring": {
        "location": "region/a",
        "rules": {"errors": {"kind": "absence", "on": "region/a", "indicator": None, "above": None, "window": "1m"}},
        "customer_reports": {"enabled": True, "affected_requests": 60, "needed": 3, "delay": "4m"},
    },
}
OFTEN_WRONG = {"response": {"timing": {"wrong_turn": 0.8, "rounds": 20, "diagnose": {"median": 150, "sigma": 0.1}}}}
QUICK = {"response": {"timing": {"diagnose": {"median": 60, "sigma": 0.2}, "notice": {"sigma": 0.3}}}}
BEAT = {"monitoring": {"rules": {"beat": {"kind": "heartbeat", "interval": "1m"}}}}


def since_impact(kind: str, **data: object) -> Callable[[Played], float]:
    """Time from the impact to the first such event; the rest of the day where there is none."""

    def measure(played: Played) -> float:
        began = played.first("impact.started").t
        return next((event.t for event in played.of(kind, **data)), played.scenario.duration) - began

    return measure


def since_page(kind: str) -> Callable[[Played], float]:
    def measure(played: Played) -> float:
        sent = played.first("page.sent").t
        return next((event.t for event in played.of(kind)), played.scenario.duration) - sent

    return measure


def diagnosis(played: Played) -> float:
    right = played.of("diagnosis.concluded", correct=True)
    return (right[0].t if right else played.scenario.duration) - played.first("diagnosis.started").t


def unanswered(played: Played) -> float:
    pages = {event.data["page"] for event in played.of("page.sent")}
    return float(len(pages - {event.data["page"] for event in played.of("page.acknowledged")}))


def answered_share(played: Played) -> float:
    """Share of calls in the first minutes of the real outage that were noticed."""
    missed = {(event.data["page"], event.data["person"]) for event in played.of("page.missed")}
    sent = {(event.data["page"], event.data["person"]) for event in played.of("page.sent")}
    return 1.0 - len(missed) / len(sent)


CASES: Mapping[str, tuple[tuple[Mapping[str, Any], ...], tuple[Mapping[str, Any], ...], Callable[[Played], float], int]] = {
    "a watchdog outside finds a blind region sooner": ((BLIND,), (BLIND, BEAT), since_impact("page.delivered"), -1),
    "a runbook for the component shortens diagnosis": (
        (QUICK, {"system": {"services": {"shop": {"runbook": None}}}}),
        (QUICK,),
        diagnosis,
        -1,
    ),
    "knowing the component shortens diagnosis": (
        (OFTEN_WRONG,),
        (OFTEN_WRONG, {"response": {"people": {"ana": {"knows": ["shop"]}}}}),
        diagnosis,
        -1,
    ),
    "dashboards that are gone lengthen diagnosis": (
        (QUICK, BEAT, BLIND, {"monitoring": {"location": "outside"}}, {"duration": "22m"}),
        (QUICK, BEAT, BLIND, {"duration": "22m"}),
        diagnosis,
        +1,
    ),
    "the night lengthens acknowledgement": ((), (NIGHT,), since_page("page.acknowledged"), +1),
    "a second level leaves fewer pages unanswered": (
        (
            {
                "response": {
                    "escalations": {"default": {"levels": [{"notify": ["person/ana"]}], "repeat": 0}},
                    "timing": {"miss": 0.5},
                }
            },
        ),
        ({"response": {"escalations": {"default": {"repeat": 0}}, "timing": {"miss": 0.5}}},),
        unanswered,
        -1,
    ),
    "every approval makes the first public message later": (
        ({"communication": {"audiences": {"customers": {"approvals": [], "first_within": "1m"}}}},),
        ({"communication": {"audiences": {"customers": {"approvals": ["incident_commander", "legal"], "first_within": "1m"}}}},),
        since_impact("message.published"),
        +1,
    ),
    "false alarms make people miss pages": (
        ({"response": {"timing": {"notice": {"median": 600, "sigma": 0.5}}}},),
        ({"response": {"timing": {"notice": {"median": 600, "sigma": 0.5}}}, "monitoring": {"false_alarms": {"per_day": 1000}}},),
        answered_share,
        -1,
    ),
    "a writer of its own lets the responder find the cause sooner": (
        (
            {
                "response": {"roles": {"communications": ["ana"]}},
                "communication": {"audiences": {"customers": {"first_within": "1m"}}},
            },
        ),
        ({"communication": {"audiences": {"customers": {"first_within": "1m"}}}},),
        diagnosis,
        -1,
    ),
    "a restart by runbook ends the outage sooner than no runbook for what mends nothing": (
        ({"response": {"runbooks": {"errors": {"action": "failover"}}}},),
        (),
        since_impact("impact.ended"),
        -1,
    ),
}


PLAYED: dict[tuple[str, int], Played] = {}
"""Days that several practices are compared with."""


def day(patches: tuple[Mapping[str, Any], ...], replication: int) -> Played:
    key = (repr(patches), replication)
    if key not in PLAYED:
        PLAYED[key] = play(HUMAN, *patches, replication=replication)
    return PLAYED[key]


@pytest.mark.parametrize("practice", CASES)
def test_a_practice_shows(practice: str) -> None:
    without, with_it, measure, sign = CASES[practice]
    pairs = MORE_PAIRS if practice in BY_CHANCE else PAIRS
    differences = np.array([measure(day(with_it, n)) - measure(day(without, n)) for n in range(pairs)])
    mean, error = differences.mean(), stats.sem(differences)
    assert error > 0.0, "people differ from day to day"
    low, high = stats.t.interval(0.99, pairs - 1, loc=mean, scale=error)
    assert low * sign > 0.0, f"{practice}: {mean:.2f} in [{low:.2f}, {high:.2f}]"
    assert high * sign > 0.0, f"{practice}: {mean:.2f} in [{low:.2f}, {high:.2f}]"


def test_waking_takes_its_time_for_the_same_person_on_the_same_seed() -> None:
    """With all but fixed times the night is dearer in every single pair."""
    for replication in range(5):
        by_day, by_night = play(replication=replication), play(NIGHT, replication=replication)
        waits = [played.first("page.acknowledged").number("after_s") for played in (by_day, by_night)]
        assert waits[1] > waits[0] + 100.0
    assert fixed(1.0)["sigma"] < 0.05

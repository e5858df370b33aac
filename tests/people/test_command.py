"""Deputy, operations and liaison: what each takes off the others, one thing at a time."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.people.small import Played, fixed, merged, play

LONG: dict[str, Any] = {"response": {"timing": {"diagnose": fixed(500)}}, "duration": "40m"}
ASLEEP = {"asleep": ["09:00", "18:00"]}
STAFF = {"channel": "chat", "severities": ["sev1"], "first_within": "90m"}
ASKED: dict[str, Any] = {
    "communication": {"audiences": dict.fromkeys(("executives", "support", "sales"), STAFF)},
    "response": {"command": {"status_requests": {"every": "3m", "answer": fixed(40)}}},
}


def roles(**more: list[str]) -> dict[str, Any]:
    people: dict[str, Any] = {person: {} for holders in more.values() for person in holders}
    return {"response": {"people": people, "roles": more}}


def commanders(played: Played) -> list[str]:
    return [str(event.data["person"]) for event in played.of("incident.role", role="incident_commander")]


# -- operations -----------------------------------------------------------------------------------------------------------


def test_operations_acts_once_it_is_decided_and_whoever_found_the_cause_tells_them_what_to_do() -> None:
    alone, with_operations = play(LONG), play(LONG, roles(operations=["oz"]))
    assert alone.first("action.started").data["by"] == "ana"
    started = with_operations.first("action.started", action="restart")
    assert started.data["by"] == "oz"
    assert with_operations.first("fault.healed").data["by"] == "oz"
    assert started.t - with_operations.first("decision.made").t == pytest.approx(60.0, rel=0.6), "they were told first"


def test_while_operations_acts_whoever_found_the_cause_is_free_for_something_else() -> None:
    one_for_all = {"response": {"roles": {"communications": ["ana"]}}}
    slow_hands = {"response": {"runbooks": {"errors": {"action": "restart", "minutes": fixed(700)}}}}
    busy = play(LONG, one_for_all, slow_hands)
    free = play(LONG, one_for_all, slow_hands, roles(operations=["oz"]))

    def wrote(played: Played) -> float:
        return played.first("message.drafted", phase="identified").t - played.first("decision.made").t

    assert wrote(busy) > 600.0
    assert wrote(free) < 250.0


def test_without_anybody_for_operations_the_commander_acts_and_does_nothing_else() -> None:
    nobody = merged(roles(operations=["oz"], incident_commander=["di"]), {"response": {"people": {"oz": ASLEEP}}})
    deaf = {"response": {"roles": {"legal": None}, "timing": {"miss_asleep": 1}}}
    played = play(LONG, nobody, deaf)
    acted = played.first("action.started", action="restart")
    assert acted.data["by"] == "di"
    done = played.first("action.succeeded", action="restart").t
    approved = [event.t for event in played.of("message.approved") if acted.t < event.t < done]
    assert not approved, "who acts approves nothing meanwhile"


# -- liaison ----------------------------------------------------------------------------------------------------------------


def test_a_liaison_takes_the_questions_and_the_search_goes_on() -> None:
    asked, with_liaison = play(LONG, ASKED), play(LONG, ASKED, roles(liaison=["lu"]))
    assert {event.data["by"] for event in asked.of("inquiry.answered")} == {"ana"}
    there = with_liaison.first("incident.role", role="liaison").t
    later = [event for event in with_liaison.of("inquiry.received") if event.t > there]
    answers = {event.data["inquiry"]: event for event in with_liaison.of("inquiry.answered")}
    assert {answers[event.data["inquiry"]].data["by"] for event in later if event.data["inquiry"] in answers} == {"lu"}
    found = [day.first("diagnosis.concluded").t for day in (asked, with_liaison)]
    assert found[1] < found[0] - 120.0


def test_a_liaison_says_what_they_were_told_last_which_may_be_old() -> None:
    phases = {event.data["answer"] for event in play(LONG, ASKED, roles(liaison=["lu"])).of("inquiry.answered", by="lu")}
    assert "investigating" in phases
    late = play({"response": {"timing": {"diagnose": fixed(500)}}}, LONG, ASKED, roles(liaison=["lu"]))
    stale = [
        event
        for event in late.of("inquiry.answered", by="lu")
        if event.data["answer"] != [e for e in late.of("incident.phase") if e.t <= event.t][-1].data["phase"]
    ]
    assert stale, "between two briefings the phase changes"


# -- deputy -------------------------------------------------------------------------------------------------------------


def test_a_deputy_takes_command_when_the_commander_cannot_keep_up() -> None:
    swamped = merged(
        ASKED, {"response": {"command": {"deputy_after": "2m", "status_requests": {"every": "15s", "answer": fixed(90)}}}}
    )
    without, played = play(LONG, swamped), play(LONG, swamped, roles(deputy=["dee"]))
    assert commanders(without) == ["ana"]
    assert commanders(played) == ["ana", "dee"]
    assert played.notes("dee takes command from ana: something has been waiting for")


def test_a_deputy_takes_command_when_nobody_of_the_list_comes() -> None:
    asleep = {
        "response": {"people": {"far": ASLEEP}, "roles": {"incident_commander": ["far"]}, "timing": {"miss_asleep": 1}},
    }
    played = play(LONG, asleep, roles(deputy=["dee"]))
    assert commanders(played) == ["ana", "dee"]
    declared = played.first("incident.declared").t
    assert played.of("incident.role", role="incident_commander")[1].t - declared == pytest.approx(360.0, abs=90.0)
    assert commanders(play(LONG, asleep, roles(deputy=["dee"]), {"response": {"command": {"deputy_after": "1h"}}})) == ["ana"]


def test_a_rotation_goes_to_the_deputy_who_needs_no_catching_up_and_another_stands_beside() -> None:
    rotating = {"response": {"command": {"rotate_after": "5m"}, "timing": {"diagnose": fixed(1500), "hand_over": fixed(600)}}}
    played = play(LONG, rotating, roles(deputy=["dee", "dan"], incident_commander=["ana", "bo"]))
    taken = [event for event in played.of("incident.role") if event.data["role"] in ("incident_commander", "deputy")]
    assert commanders(played)[:2] == ["ana", "dee"]
    handed = next(event.t for event in taken if event.data["person"] == "dee" and event.data["role"] == "incident_commander")
    assert handed - played.first("incident.declared").t < 300.0 + 200.0, "a word is enough, no ten minutes"
    assert ("deputy", "dan") in [(event.data["role"], event.data["person"]) for event in taken if event.t > handed]


def test_nobody_is_their_own_deputy() -> None:
    played = play(LONG, roles(deputy=["ana"]))
    assert not played.of("incident.role", role="deputy")


# -- the time of the next message -------------------------------------------------------------------------------------------


def test_time_is_minded_by_a_deputy_and_forgotten_by_a_busy_commander() -> None:
    minded = {"communication": {"reminders": "people", "audiences": {"customers": {"every": "5m", "approvals": []}}}}
    busy = merged(
        ASKED, {"response": {"command": {"status_requests": {"every": "35s", "answer": fixed(40)}, "deputy_after": "5h"}}}
    )

    def longest_gap(played: Played) -> float:
        times = [event.t for event in played.of("message.published", audience="customers")]
        ended = min([event.t for event in played.of("impact.ended")], default=played.scenario.duration)
        times = [played.first("incident.declared").t, *(t for t in times if t < ended), ended]
        return max(later - earlier for earlier, later in itertools.pairwise(times))

    tool, commander, deputy = (
        longest_gap(play(LONG, busy, *more))
        for more in (
            [{"communication": {"audiences": {"customers": {"every": "5m", "approvals": []}}}}],
            [minded],
            [minded, roles(deputy=["dee"])],
        )
    )
    assert tool <= 330.0
    assert deputy <= 345.0
    assert commander > deputy + 60.0


# -- relief -----------------------------------------------------------------------------------------------------------------


ONE_ROUND: dict[str, Any] = {"response": {"timing": {"diagnose": fixed(3000), "hand_over": fixed(300)}}, "duration": "100m"}
ONE_ROUND["communication"] = {"audiences": {"customers": {"approvals": []}}}
ROTATING: dict[str, Any] = {"response": {"command": {"rotate_after": "20m"}}}


def test_the_search_is_handed_over_in_the_middle_of_a_round_and_what_was_found_stays_found() -> None:
    alone, relieved = play(ONE_ROUND), play(ONE_ROUND, ROTATING)
    started, concluded = relieved.first("diagnosis.started"), relieved.first("diagnosis.concluded")
    handed = relieved.notes("hands the work over to")
    assert started.data["person"] == "ana"
    assert len(handed) == 2, "after twenty minutes each, in 50 minutes of searching"
    assert started.t < handed[0].t < handed[1].t < concluded.t
    assert concluded.data["person"] != "ana"
    assert relieved.first("decision.proposed").data["by"] == concluded.data["person"]
    catching_up = concluded.t - alone.first("diagnosis.concluded").t
    assert catching_up == pytest.approx(2 * 300.0, abs=60.0), "only the hand-overs are lost, not what was found before"


def test_the_search_goes_on_while_relief_is_on_the_way_and_where_nobody_comes() -> None:
    asleep = {"people": dict.fromkeys(("bo", "cy", "di"), ASLEEP), "timing": {"miss_asleep": 1}}
    alone, nobody = play(ONE_ROUND, {"response": asleep}), play(ONE_ROUND, ROTATING, {"response": asleep})
    assert not nobody.notes("hands the work over")
    assert nobody.first("diagnosis.concluded").t == pytest.approx(alone.first("diagnosis.concluded").t, abs=15.0)

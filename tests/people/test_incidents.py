"""Incidents: declared by what is seen, led by one person at a time, worked on until it is over, and only then called over."""

from __future__ import annotations

from typing import Any

import pytest

from tests.people.small import Played, fixed, play

OUTAGE_OF_A: dict[str, Any] = {
    "schedule": {"faults": ["kill region/a at 3m for 15m"]},
    "monitoring": {"rules": {"errors": None, "gone": {"kind": "absence", "on": "region/a", "window": "30s"}}},
}
BLIND: dict[str, Any] = {
    "schedule": {"faults": ["kill region/a at 3m for 15m"]},
    "monitoring": {"location": "region/a", "rules": {"errors": None, "beat": {"kind": "heartbeat", "interval": "60s"}}},
}
DATABASE: dict[str, Any] = {
    "system": {
        "services": {"shop": {"calls": [{"to": "database/orders", "operation": "write", "timeout": "300ms"}]}},
        "databases": {"orders": {"primary": "a1", "replicas": ["b1"], "slots": 20, "service_time": "constant 2ms"}},
    },
    "schedule": {"faults": ["kill database/orders/primary at 3m"]},
    "response": {"runbooks": {"kill": {"action": "promote"}}},
}
TIPS: dict[str, Any] = {
    "system": {
        "services": {
            "shop": {"calls": [{"to": "tips", "required": False, "timeout": "500ms"}]},
            "tips": {"instances": 1, "slots": 50, "service_time": "constant 5ms", "queue": 50, "boot": "5s"},
        }
    },
    "load": {"classes": {"buy": {"deadline": "300ms"}}},
    "schedule": {"faults": ["slow service/tips factor=400 at 3m for 15m"]},
}
FAILOVER: dict[str, Any] = {
    "policies": {"failover": {"mode": "manual", "pairs": {"a": "b"}, "dns_ttl": "10s", "failback": {"stable_for": "1m"}}}
}


def runbook(fault: str, action: str, **more: Any) -> dict[str, Any]:
    return {"response": {"runbooks": {fault: {"action": action, **more}}}}


def took_s(played: Played, action: str) -> float:
    """From the first start of an action to its success."""
    return played.first("action.succeeded", action=action).t - played.first("action.started", action=action).t


# -- declared, and over -------------------------------------------------------------------------------------------------


def test_an_incident_is_called_over_only_when_it_was_good_for_the_time_of_the_plan() -> None:
    played = play({"communication": {"confirm_recovery": "4m"}})
    ended, resolved = played.first("impact.ended").t, played.first("incident.resolved").t
    assert 240.0 <= resolved - ended <= 240.0 + 120.0
    phases = [event.data["phase"] for event in played.of("incident.phase")]
    assert phases == ["investigating", "identified", "monitoring", "resolved"]


def test_what_comes_back_while_it_is_watched_is_the_same_incident() -> None:
    again = {
        "schedule": {"faults": ["errors service/shop ratio=100% at 3m for 6m", "errors service/shop ratio=100% at 13m30s"]},
        "response": {"timing": {"diagnose": fixed(2000)}},
        "communication": {"confirm_recovery": "5m"},
        "duration": "70m",
    }
    played = play(again)
    assert played.notes("sees it come back")
    assert len(played.of("incident.declared")) == 1
    resolved = played.of("incident.resolved")
    assert len(resolved) == 1
    assert resolved[0].t > played.of("impact.ended")[-1].t + 300.0


def test_a_loss_below_the_bar_is_worked_on_and_declared_when_it_grows() -> None:
    growing = {
        "schedule": {"faults": ["errors service/shop ratio=15% at 3m", "errors service/shop ratio=90% at 9m"]},
        "monitoring": {"rules": {"errors": {"above": "8%", "window": "1m"}}},
        "response": {"declare_above": "40%", "timing": {"diagnose": fixed(600)}},
    }
    played = play(growing)
    assert played.first("diagnosis.started").t < 500.0
    assert 540.0 < played.first("incident.declared").t < 600.0


def test_a_loss_that_never_reaches_the_bar_is_handled_without_an_incident() -> None:
    small = {
        "schedule": {"faults": ["errors service/shop ratio=20% at 3m"]},
        "monitoring": {"rules": {"errors": {"above": "8%", "window": "1m"}}},
        "response": {"declare_above": "80%"},
    }
    played = play(small)
    assert played.of("action.succeeded", action="restart")
    assert played.notes("too small to declare")
    assert not played.of("incident.declared", "incident.phase", "incident.resolved", "message.drafted")


def test_severity_rises_with_the_loss_and_never_falls() -> None:
    growing = {
        "schedule": {"faults": ["errors service/shop ratio=15% at 3m", "errors service/shop ratio=90% at 8m"]},
        "monitoring": {"rules": {"errors": {"above": "8%", "window": "1m"}}},
        "response": {"timing": {"diagnose": fixed(900)}},
    }
    played = play(growing)
    assert played.first("incident.declared").data["severity"] == "sev2"
    assert [event.data["severity"] for event in played.of("incident.severity")] == ["sev1"]


def test_an_outage_that_was_over_before_anybody_sat_down_is_still_seen_on_the_graphs() -> None:
    brief = {
        "schedule": {"faults": ["errors service/shop ratio=100% at 3m for 2m"]},
        "response": {"timing": {"engage": fixed(300)}},
    }
    played = play(brief)
    assert played.first("incident.declared").t > played.first("impact.ended").t
    assert not played.of("action.started")
    assert played.of("incident.resolved")


def test_who_has_no_dashboards_finds_out_by_hand_and_declares_late() -> None:
    seen, blind = play(OUTAGE_OF_A), play(BLIND)
    for played in (seen, blind):
        assert played.of("incident.declared")
    wait = [played.first("incident.declared").t - played.first("responder.engaged").t for played in (seen, blind)]
    assert wait[0] < 1.0
    assert wait[1] == pytest.approx(300.0, abs=16.0)


# -- who ------------------------------------------------------------------------------------------------------------------


def test_one_commander_at_a_time_and_the_hand_over_is_on_record() -> None:
    played = play({"response": {"roles": {"incident_commander": ["di"], "legal": None}, "timing": {"diagnose": fixed(600)}}})
    commanders = [(event.data["person"], event.t) for event in played.of("incident.role", role="incident_commander")]
    assert [person for person, _ in commanders] == ["ana", "di"]
    assert commanders[1][1] - commanders[0][1] == pytest.approx(60.0, rel=0.1)
    assert played.first("decision.proposed").data["by"] == "ana"
    assert played.first("decision.made").data["by"] == "di"


def test_who_has_handed_over_is_free_for_another_role() -> None:
    roles = {"incident_commander": ["di"], "communications": ["cy", "ana"], "legal": None}
    asleep = {"people": {"cy": {"asleep": ["09:00", "18:00"]}}, "timing": {"miss_asleep": 1, "diagnose": fixed(900)}}
    played = play({"response": {"roles": roles, **asleep}}, {"duration": "40m"})
    taken = [(event.data["role"], event.data["person"]) for event in played.of("incident.role")]
    assert taken == [("incident_commander", "ana"), ("incident_commander", "di"), ("communications", "ana")]
    assert not played.notes("does it as well")


def test_roles_are_filled_from_their_lists_and_approvers_only_are_left_alone() -> None:
    played = play({"response": {"roles": {"scribe": ["di", "bo"], "legal": ["bo"]}}})
    assert {(event.data["role"], event.data["person"]) for event in played.of("incident.role")} == {
        ("incident_commander", "ana"),
        ("communications", "cy"),
        ("scribe", "di"),
    }


def test_one_person_for_everything_does_everything_one_after_the_other() -> None:
    alone = {
        "response": {
            "people": {"bo": None, "cy": None, "di": None},
            "teams": {"shop": {"members": ["ana"]}},
            "escalations": {"default": {"levels": [{"notify": ["person/ana"]}]}},
            "roles": {"communications": ["ana"], "legal": ["ana"]},
        },
        "communication": {"audiences": {"customers": {"first_within": "2m"}}},
    }
    played, team = play(alone), play({"communication": {"audiences": {"customers": {"first_within": "2m"}}}})
    assert {event.data["role"] for event in played.of("incident.role", person="ana")} == {"incident_commander", "communications"}
    assert played.of("message.published", phase="resolved")
    assert played.first("diagnosis.concluded").t > team.first("diagnosis.concluded").t + 60.0, "who writes does not diagnose"


def test_a_role_whose_list_does_not_answer_falls_to_the_commander() -> None:
    asleep = {
        "response": {"people": {"cy": {"asleep": ["09:00", "18:00"]}}, "timing": {"miss_asleep": 1, "diagnose": fixed(1500)}},
        "duration": "50m",
    }
    played = play(asleep)
    assert played.notes("nobody is free for the role of communications")
    assert ("communications", "ana") in {(event.data["role"], event.data["person"]) for event in played.of("incident.role")}
    assert played.of("message.published", phase="resolved")


@pytest.mark.parametrize(
    "without",
    [
        {"response": {"=": {}}, "communication": {"=": {}}},
        {"response": {"teams": {"=": {}}, "roles": {"=": {}}}},
        {"response": {"escalations": {"=": {}}}},
        {"response": {"roles": {"=": {}}}},
        {"communication": {"=": {}}},
        {"response": {"timing": {"miss": 1, "miss_asleep": 1}}},
        {"response": {"runbooks": {"=": {}}, "timing": {"rounds": 1, "wrong_turn": 1}}},
    ],
    ids=["nobody", "no teams", "no escalation", "no roles", "no plan", "nobody hears", "nobody finds it"],
)
@pytest.mark.parametrize("hour", ["10", "03"])
def test_a_day_goes_to_its_end_whoever_is_missing(without: dict[str, Any], hour: str) -> None:
    played = play(without, {"starts": f"2026-03-02T{hour}:00:00+00:00", "duration": "20m"})
    assert played.of("run.ended")
    assert played.of("page.sent") or played.notes("nobody is paged")


# -- what they do -----------------------------------------------------------------------------------------------------


def test_a_restart_mends_what_a_restart_mends() -> None:
    played = play()
    assert played.first("fault.healed").data["by"] == "ana"
    assert took_s(played, "restart") == pytest.approx(40.0, rel=0.05)


def test_a_rollback_takes_the_deployers_time_and_mends_a_bad_release() -> None:
    release = {"schedule": {"faults": ["bad_release service/shop error_ratio=100% at 3m"]}}
    played = play(release, {"policies": {"release": {"rollback": "constant 90s"}}})
    assert played.first("fault.healed").data["by"] == "ana"
    assert took_s(played, "rollback") == pytest.approx(90.0)


@pytest.mark.parametrize("action", ["rollback", "promote", "failover", "disable_feature", "scale_out", "shift_traffic"])
def test_an_action_that_does_not_meet_the_fault_mends_nothing(action: str) -> None:
    played = play(runbook("errors", action), {"duration": "20m"})
    tried = played.first("action.started", action=action).t
    healed = played.of("fault.healed")
    assert all(event.t > tried + 120.0 for event in healed)
    if action != "scale_out":
        assert played.of("action.failed", action=action)
        assert not played.of("action.succeeded", action=action)
    assert played.of("action.succeeded", action="restart"), "after the runbook they try what mends such a fault"


def test_a_restart_does_nothing_to_a_bad_release() -> None:
    release = {"schedule": {"faults": ["bad_release service/shop error_ratio=100% at 3m"]}}
    played = play(release, runbook("bad_release", "restart"))
    assert played.first("action.failed", action="restart").data["why"] == "the restart changed nothing"
    assert played.first("fault.healed").t > played.first("action.started", action="rollback").t


def test_a_failover_by_people_moves_a_region_that_is_gone() -> None:
    played = play(OUTAGE_OF_A, FAILOVER, runbook("kill", "failover"))
    assert played.first("failover.triggered").data["by"] == "ana"
    assert played.of("failover.completed")
    assert played.first("impact.ended").t < played.first("fault.healed").t


def test_shifted_traffic_goes_to_the_partner_and_comes_back_when_the_fault_is_over() -> None:
    played = play(
        OUTAGE_OF_A, runbook("kill", "shift_traffic"), {"system": {"traffic": {"dns": {"ttl": "10s"}}}}, {"duration": "40m"}
    )
    moves = [(event.subject, event.data["to"]) for event in played.of("dns.changed")]
    assert moves == [("dns/west", "b"), ("dns/west", "a")]
    back = played.of("dns.changed")[1]
    assert back.t > played.first("fault.healed").t
    assert not played.of("failover.triggered")


@pytest.mark.parametrize("fault", ["kill database/orders/primary at 3m", "kill zone/a1 at 3m"])
def test_a_promotion_by_people_brings_a_dead_database_back(fault: str) -> None:
    manual = {
        "policies": {"databases": {"orders": {"mode": "manual", "promote": "2s", "route": "1s"}}},
        "schedule": {"faults": [fault]},
        "load": {"classes": {"buy": {"origins": {"east": "100%"}}}},
    }
    played = play(DATABASE, manual)
    assert played.of("action.succeeded", action="promote")
    assert played.first("failover.promoted").data["to"] == "b1"
    assert played.of("impact.ended")


def test_more_capacity_boots_before_it_helps() -> None:
    full = {
        "system": {"services": {"shop": {"slots": 1, "service_time": "constant 300ms", "boot": "60s", "timeout": "20s"}}},
        "load": {"classes": {"buy": {"rate": "16/s"}}},
        "schedule": {"faults": []},
        "monitoring": {"rules": {"errors": {"above": "5%"}}},
    }
    played = play(full)
    asked, ready = played.first("scaling.requested"), played.first("scaling.ready")
    assert played.first("decision.made").data["decision"] == "scale_out"
    assert ready.t - asked.t == pytest.approx(60.0)


def test_a_feature_is_switched_off_and_on_again_when_its_fault_is_over() -> None:
    slow = {"monitoring": {"rules": {"errors": {"indicator": "latency_p95", "above": "300ms"}}}, "duration": "40m"}
    played = play(TIPS, slow, runbook("slow", "disable_feature"))
    off, on = played.first("degradation.started"), played.first("degradation.ended")
    healed = played.first("fault.healed")
    assert off.t < played.first("impact.ended").t + 60.0 < healed.t
    assert healed.t < on.t < healed.t + 15.0 + 60.0


def test_to_wait_is_a_decision_and_no_action() -> None:
    played = play({"schedule": {"faults": ["errors service/shop ratio=100% at 3m for 8m"]}}, runbook("errors", "wait"))
    assert played.first("decision.made").data["decision"] == "wait"
    assert played.of("impact.ended")


def test_an_action_that_fails_is_tried_three_times_and_then_thought_over() -> None:
    played = play({"response": {"timing": {"action_failure": 1}}})
    failed = played.of("action.failed", action="restart")
    assert len(failed) >= 3
    concluded = [event.t for event in played.of("diagnosis.concluded")]
    assert failed[2].t < concluded[1]
    assert not played.of("fault.healed")


@pytest.mark.parametrize("key", ["errors", "errors service/shop"])
def test_a_runbook_has_a_time_of_its_own_for_the_kind_or_for_the_target(key: str) -> None:
    played = play({"response": {"runbooks": {"errors": {"action": "wait"}}}}, runbook(key, "restart", minutes=fixed(200)))
    assert took_s(played, "restart") == pytest.approx(200.0, rel=0.05)


def test_the_time_of_a_rollback_by_runbook_comes_before_the_deployers() -> None:
    release = {
        "schedule": {"faults": ["bad_release service/shop error_ratio=100% at 3m"]},
        "policies": {"release": {"rollback": "constant 90s"}},
    }
    quick, slow = play(release), play(release, runbook("bad_release", "rollback", minutes=fixed(200)))
    assert slow.first("fault.healed").t - quick.first("fault.healed").t == pytest.approx(200.0, rel=0.1)


def test_after_so_many_rounds_people_wait_until_something_new_breaks() -> None:
    hopeless = {
        "schedule": {"faults": ["slow service/shop factor=1000 at 3m", "errors service/shop ratio=100% at 40m"]},
        "response": {"timing": {"rounds": 2}},
        "duration": "70m",
    }
    played = play(hopeless)
    tests = [event.t for event in played.of("diagnosis.started")]
    assert len([t for t in tests if t < 2400.0]) == 2
    assert [t for t in tests if t > 2400.0]


def test_wrong_turns_follow_spar_h() -> None:
    base = {"response": {"timing": {"wrong_turn": 0.2, "diagnose": fixed(20), "rounds": 1}}, "duration": "12m"}
    no_runbook = {"system": {"services": {"shop": {"runbook": None}}}}
    known = {"response": {"people": {"ana": {"knows": ["shop"]}}}}
    expected = {"plain": 0.2, "no runbook": 5 * 0.2 / (0.2 * 4 + 1), "known": 0.5 * 0.2 / (0.2 * -0.5 + 1)}
    for name, patches in {"plain": [base], "no runbook": [base, no_runbook], "known": [base, known]}.items():
        days = [play(*patches, replication=n) for n in range(25)]
        wrong = sum(not played.first("diagnosis.concluded").data["correct"] for played in days) / 25
        deviation = (expected[name] * (1 - expected[name]) / 25) ** 0.5
        assert abs(wrong - expected[name]) < 3.5 * deviation, name


def test_planned_work_is_known_to_be_the_cause() -> None:
    work = {"schedule": {"faults": [], "maintenance": [{"what": "new racks", "target": "region/a", "at": "3m", "for": "10m"}]}}
    played = play(work, {"monitoring": {"rules": {"errors": {"indicator": "request_rate", "above": None, "below": "3/s"}}}})
    assert played.first("diagnosis.started").data["hypothesis"] == "planned work: new racks"


# -- the word machines wait for ---------------------------------------------------------------------------------------


def automatic(**more: Any) -> dict[str, Any]:
    return {"policies": {"failover": {"mode": "automatic", "pairs": {"a": "b"}, "dns_ttl": "10s", **more}}}


def test_a_failover_waits_for_the_word_of_the_role() -> None:
    free, asked = play(OUTAGE_OF_A, automatic()), play(OUTAGE_OF_A, automatic(approval="legal"))
    approved = asked.first("decision.approved")
    assert approved.data["by"] == "di"
    assert asked.first("failover.completed").t >= approved.t
    assert asked.first("failover.completed").t - free.first("failover.completed").t == pytest.approx(80.0, abs=15.0)


def test_an_approver_who_does_not_answer_is_asked_again_until_the_region_is_back() -> None:
    asleep = {"response": {"people": {"di": {"asleep": ["09:00", "18:00"]}}, "timing": {"miss_asleep": 1}}}
    played = play(OUTAGE_OF_A, automatic(approval="legal"), asleep)
    assert len(played.notes("nobody in the role of legal answers")) >= 2
    assert not played.of("decision.approved", "failover.completed")


def test_a_role_that_nobody_has_is_noted_and_the_machine_waits() -> None:
    played = play(OUTAGE_OF_A, automatic(approval="pr"))
    assert played.notes("nobody has the role of pr")
    assert not played.of("failover.completed")


def test_the_way_back_is_approved_by_its_role() -> None:
    played = play(OUTAGE_OF_A, automatic(failback={"approval": "legal", "stable_for": "1m"}), {"duration": "40m"})
    approved = played.first("failback.approved")
    assert (approved.data["by"], approved.data["role"]) == ("di", "legal")
    assert played.first("failback.completed").t >= approved.t

"""Messages: written by the role, approved in order, published by who may, and true to what was believed when they were written."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from gameday.communication.content import Vocabulary, check_message
from gameday.faults import faults as all_faults
from tests.people.small import Played, fixed, play

LONG: dict[str, Any] = {"response": {"timing": {"diagnose": fixed(1500)}}, "duration": "50m"}
ASLEEP = ["09:00", "18:00"]
REGION_A_OUT: dict[str, Any] = {
    "schedule": {"faults": ["kill region/a at 3m for 15m"]},
    "monitoring": {"rules": {"errors": None, "gone": {"kind": "absence", "on": "region/a", "window": "30s"}}},
    "duration": "40m",
}


def audience(**more: Any) -> dict[str, Any]:
    return {"communication": {"audiences": {"customers": more}}}


def published(played: Played, name: str = "customers") -> list[tuple[float, str]]:
    return [(event.t, str(event.data["phase"])) for event in played.of("message.published", audience=name)]


# -- when ---------------------------------------------------------------------------------------------------------------


def test_the_first_message_is_begun_in_time_for_its_promise() -> None:
    played = play(LONG, audience(first_within="10m"))
    declared = played.first("incident.declared").t
    first = published(played)[0][0]
    assert first == pytest.approx(declared + 600.0, abs=20.0)


def test_what_cannot_be_kept_is_late() -> None:
    slow = {"communication": {"draft": fixed(400)}}
    played = play(LONG, slow, audience(first_within="5m"))
    assert published(played)[0][0] > played.first("incident.declared").t + 400.0


def test_updates_come_as_often_as_promised_and_each_names_the_next() -> None:
    played = play(LONG, audience(every="8m"))
    times = [t for t, phase in published(played) if phase == "investigating"]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert len(gaps) >= 2
    assert all(gap <= 480.0 + 20.0 for gap in gaps)


def test_every_phase_is_told_in_order_and_the_end_last() -> None:
    phases = [phase for _, phase in published(play(audience(first_within="2m")))]
    order = ["investigating", "identified", "monitoring", "resolved"]
    assert phases == sorted(phases, key=order.index)
    assert phases[0] == "investigating"
    assert phases[-1] == "resolved"
    assert len(set(phases)) == len(phases), "nothing is told twice in so short a day"


def test_executives_are_told_when_enough_money_is_lost_or_time_has_passed() -> None:
    told = {"executives": {"channel": "phone", "author": "incident_commander", "severities": ["sev3"], "first_within": "1m"}}
    never = play(LONG, {"communication": {"audiences": told}})
    by_money = play(LONG, {"communication": {"audiences": told, "executives": {"exposure_above": 10_000}}})
    by_time = play(LONG, {"communication": {"audiences": told, "executives": {"duration_above": "15m"}}})
    assert not published(never, "executives")
    began = by_money.first("impact.started").t
    # Two thousand lost requests at 10 each, four a second: 250 s for the first 10 000.
    assert began + 250.0 < published(by_money, "executives")[0][0] < began + 250.0 + 180.0
    assert began + 900.0 < published(by_time, "executives")[0][0] < began + 900.0 + 180.0


# -- who ----------------------------------------------------------------------------------------------------------------


def test_approvals_are_given_in_order_before_the_publication() -> None:
    played = play(audience(approvals=["legal", "incident_commander"]))
    message = played.first("message.published")
    assert message.data["approvals"] == ["legal/di", "incident_commander/ana"]
    approved = played.first("message.approved", message=message.data["message"])
    drafted = played.first("message.drafted", message=message.data["message"])
    assert drafted.t + 60.0 * 0.95 <= approved.t < message.t


def test_an_approver_who_sleeps_is_woken_and_that_takes_time() -> None:
    need = audience(approvals=["legal"])
    awake, asleep = play(need), play(need, {"response": {"people": {"di": {"asleep": ASLEEP}}}})
    assert published(asleep)[0][0] - published(awake)[0][0] > 150.0


def test_an_approver_who_does_not_answer_is_passed_over_for_the_next() -> None:
    need = audience(approvals=["legal"])
    two = {"response": {"roles": {"legal": ["di", "bo"]}, "people": {"di": {"asleep": ASLEEP}, "bo": {"asleep": ASLEEP}}}}
    heard = 0
    for replication in (3, 6, 11):  # in these the first one does not hear the first call
        played = play(need, two, LONG, {"response": {"timing": {"miss_asleep": 0.5}}}, replication=replication)
        given = {event.data["approvals"][0] for event in played.of("message.approved")}
        heard += "legal/bo" in given
    assert heard >= 1


@pytest.mark.parametrize("miss", [0, 1])
def test_without_an_approval_nothing_is_published(miss: float) -> None:
    need = audience(approvals=["legal"])
    nobody = (
        {"response": {"roles": {"legal": None}}}
        if not miss
        else {"response": {"people": {"di": {"asleep": ASLEEP}}, "timing": {"miss_asleep": 1}}}
    )
    played = play(need, nobody, LONG, {"duration": "80m"})
    assert played.of("message.drafted")
    assert played.notes("approval by legal cannot be had")
    assert not played.of("message.published")


def test_who_may_not_speak_lets_a_spokesperson_publish() -> None:
    played = play(audience(spokespersons=["legal"]))
    assert {event.data["role"] for event in played.of("message.published")} == {"legal"}
    assert played.notes("is published by di as legal")


def test_without_a_spokesperson_nothing_is_published() -> None:
    played = play(audience(spokespersons=["pr"]))
    assert played.notes("nobody can be had")
    assert not played.of("message.published")


def test_inside_the_organisation_nobody_has_to_approve() -> None:
    assert not play(audience(external=False, approvals=["legal"])).of("message.approved")


def test_one_author_writes_one_message_at_a_time() -> None:
    many = {f"list-{number}": {"channel": "email", "first_within": "2m"} for number in range(4)}
    played = play({"communication": {"audiences": many}}, LONG)
    drafted = sorted(event.t for event in played.of("message.drafted") if event.t < 900.0)
    assert all(later - earlier >= 55.0 for earlier, later in itertools.pairwise(drafted))


# -- where --------------------------------------------------------------------------------------------------------------


def test_retyping_takes_the_author_time_and_an_automatic_page_none() -> None:
    by_hand, automatic = play(), play({"communication": {"status_page": {"automatic": True}}})
    for played, least_s, most_s in ((by_hand, 29.0, 30.0 + 30.0 + 2.0), (automatic, 0.0, 0.0)):
        message = played.first("message.published")
        approved = played.first("message.approved", message=message.data["message"])
        assert least_s <= message.t - approved.t <= most_s


def test_what_is_approved_goes_out_before_the_next_draft_is_finished() -> None:
    slow = {"communication": {"draft": fixed(300), "approve": fixed(30)}}
    played = play(
        LONG,
        slow,
        audience(first_within="2m"),
        {"communication": {"audiences": {"list": {"channel": "email", "first_within": "2m"}}}},
    )
    approved, out = played.first("message.approved").t, published(played)[0][0]
    assert out - approved <= 30.0 + 30.0 + 5.0, "a piece of the other draft, and the retyping"


def test_a_status_page_that_is_down_with_its_region_waits_for_it() -> None:
    page = {"communication": {"status_page": {"location": "region/a"}}, "response": {"timing": {"diagnose": fixed(1500)}}}
    played = play(REGION_A_OUT, page)
    healed = played.first("fault.healed").t
    assert played.notes("the status page is down with region/a")
    assert published(played)[0][0] >= healed
    elsewhere = play(REGION_A_OUT, page, {"communication": {"status_page": {"location": "region/b"}}})
    assert published(elsewhere)[0][0] < healed
    waiting = [t for t, _ in published(played) if t < healed + 30.0]
    assert len(waiting) <= 1, "of the messages that waited only the newest goes out"


def test_of_the_messages_that_waited_for_the_page_only_the_newest_goes_out() -> None:
    page = {"communication": {"status_page": {"location": "region/a"}}}
    played = play(REGION_A_OUT, page, audience(first_within="1m"), {"response": {"runbooks": {"kill": {"action": "wait"}}}})
    healed = played.first("fault.healed").t
    approved = [event for event in played.of("message.approved") if event.t < healed]
    assert {event.data["phase"] for event in approved} == {"investigating", "identified"}
    assert [phase for t, phase in published(played) if t < healed + 60.0] == ["identified"]
    assert played.notes("is dropped")


# -- what ---------------------------------------------------------------------------------------------------------------


def test_resolved_is_held_back_while_the_dashboards_say_otherwise() -> None:
    again = {
        "schedule": {"faults": ["errors service/shop ratio=100% at 3m", "errors service/shop ratio=100% at 11m45s for 8m"]},
        "response": {"timing": {"notice": fixed(60)}, "declare_above": 0.05},
        "communication": {"draft": fixed(120)},
        "monitoring": {"grouping": {"interval": "30m"}},
        "duration": "60m",
    }
    played = play(again, audience(approvals=[]))
    held = played.notes("is held back")
    assert held
    for event in played.of("message.published", phase="resolved"):
        hurt = [i for i in played.of("impact.started") if i.t <= event.t]
        ended = [i for i in played.of("impact.ended") if i.t <= event.t]
        assert len(hurt) == len(ended)
    assert played.of("message.published", phase="resolved"), "the end is told in the end"


def test_the_claims_name_the_regions_whose_clients_were_hurt() -> None:
    for event in play(REGION_A_OUT).of("message.drafted"):
        assert event.data["claims"]["regions"] == ["a"], event.data["phase"]
        assert event.data["claims"]["components"] == ["buy"]


def test_a_message_states_what_was_believed_when_it_was_written() -> None:
    late = {"schedule": {"faults": ["errors service/shop ratio=100% at 3m for 8m"]}, "communication": {"approve": fixed(400)}}
    played = play(late, audience(first_within="5m"), {"duration": "40m"})
    message = played.first("message.published")
    drafted = played.first("message.drafted", message=message.data["message"])
    assert drafted.data["claims"] == message.data["claims"]
    assert message.data["claims"]["started_s"] == pytest.approx(played.first("impact.started").t, abs=60.0)


def test_the_end_that_is_told_is_the_one_on_the_graphs() -> None:
    played = play({"communication": {"draft": fixed(300)}, "duration": "40m"})
    ended = played.first("impact.ended").t
    text = played.first("message.drafted", phase="resolved").text("text")
    told = text.partition(" until ")[2][:5]
    minutes = (int(told[:2]) - 10) * 60 + int(told[3:])
    assert abs(minutes * 60 - ended) <= 90.0


def test_without_dashboards_the_cause_and_the_share_are_not_invented() -> None:
    blind = {
        "schedule": {"faults": ["kill region/a at 3m for 30m"]},
        "monitoring": {"location": "region/a", "rules": {"errors": None, "beat": {"kind": "heartbeat", "interval": "60s"}}},
        "response": {"timing": {"diagnose": fixed(2000)}},
        "duration": "40m",
    }
    played = play(blind, audience(first_within="2m"))
    text = played.first("message.drafted").text("text")
    share = int(text.partition("About ")[2].partition("%")[0])
    assert share % 5 == 0, "of twenty requests tried by hand"


@pytest.mark.parametrize("fault", sorted(all_faults()))
def test_every_default_message_says_what_its_phase_requires(fault: str) -> None:
    lines = {
        "agent_freeze": "database/orders@a1",
        "bad_release": "service/shop error_ratio=100%",
        "capacity": "service/shop share=99%",
        "clock_skew": "database/orders@a1 offset=10m",
        "disk_full": "database/orders/primary",
        "dns_outage": "dns share=100%",
        "errors": "service/shop ratio=100%",
        "freeze": "service/shop",
        "kill": "instance/shop@a1/0",
        "latency": "link/internet<->a delay=5s",
        "loss": "link/internet<->a ratio=90%",
        "noop": "service/shop",
        "outage": "provider/cards",
        "partition": "link/a<->internet",
        "replication_stop": "database/orders@b1",
        "slow": "service/shop factor=1000",
    }
    system = {
        "services": {
            "shop": {
                "calls": [
                    {"to": "database/orders", "operation": "write", "timeout": "500ms"},
                    {"to": "provider/cards", "timeout": "500ms"},
                ]
            }
        },
        "databases": {"orders": {"primary": "a1", "replicas": ["b1"], "slots": 20, "service_time": "constant 2ms"}},
        "providers": {"cards": {"service_time": "constant 5ms"}},
    }
    # A second fault that certainly hurts makes a day of every kind of fault.
    written = [f"{fault} {lines[fault]} at 3m for 12m", "errors service/shop ratio=60% at 3m30s for 11m"]
    rules = {
        "some": {"kind": "threshold", "on": "class/buy", "indicator": "error_ratio", "above": "5%", "window": "1m"},
        "gone": {"kind": "absence", "on": "service/shop", "window": "30s"},
    }
    quick = {"response": {"timing": {"diagnose": fixed(200)}, "runbooks": {"=": {}}}, "duration": "30m"}
    played = play(
        {"system": system, "schedule": {"faults": written}, "monitoring": {"rules": rules}}, quick, audience(first_within="2m")
    )
    names = Vocabulary(components=("buy", "shop"), regions=("a", "b"), people=("ana", "bo", "cy", "di"))
    messages = played.of("message.drafted")
    assert {event.data["phase"] for event in messages} >= {"investigating", "identified", "resolved"}
    for event in messages:
        report = check_message(event.data["phase"], event.text("text"), names)
        assert not report.missing, event.text("text")
        assert not report.forbidden, event.text("text")


# -- duties -------------------------------------------------------------------------------------------------------------


def clock(**more: Any) -> dict[str, Any]:
    return {"communication": {"clocks": {"early": {"regime": "t", "within": "20m", "audience": "customers", **more}}}}


@pytest.mark.parametrize("anchor", ["impact.started", "page.acknowledged", "incident.declared"])
def test_a_clock_starts_at_its_anchor_and_is_met_by_the_first_message(anchor: str) -> None:
    played = play(clock(anchor=anchor))
    started, met = played.first("clock.started"), played.first("clock.met")
    assert started.t == played.first(anchor).t
    assert met.t == published(played)[0][0]
    assert met.number("margin_s") == pytest.approx(started.t + 1200.0 - met.t)


def test_a_clock_that_nobody_meets_is_late_when_its_time_is_over() -> None:
    played = play(clock(within="3m"))
    late = played.first("clock.late")
    assert late.t == pytest.approx(played.first("incident.declared").t + 180.0, abs=0.01)


def test_a_short_impact_starts_no_clock_that_asks_for_a_long_one() -> None:
    assert not play(clock(when_impact_longer_than="10m")).of("clock.started")
    assert play(clock(when_impact_longer_than="4m")).of("clock.started")

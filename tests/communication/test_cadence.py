"""When messages are due: first promises, intervals, phases, promises of the message itself, executives, severities."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gameday.communication.cadence import Ask, Cadence
from gameday.scenario.communication import Communication


def plan(**changes: Any) -> Communication:
    audiences = {"customers": {"channel": "status_page", "external": True, "first_within": "15m", "every": "30m"}}
    return Communication.model_validate({"audiences": audiences, **changes})


def asked(cadence: Cadence, now: float) -> list[tuple[str, str, float, str]]:
    return [(ask.audience, ask.phase, ask.due_s, ask.why) for ask in cadence.asks(now)]


def told_once(**changes: Any) -> Cadence:
    """Declared at 0 as sev1, the first message out at 600."""
    cadence = Cadence(plan(**changes))
    cadence.declared(0, "sev1")
    cadence.asks(0)
    cadence.published(600, "customers", "investigating")
    return cadence


def test_the_first_message_is_due_within_the_promise_from_the_declaration() -> None:
    cadence = Cadence(plan())
    cadence.declared(100, "sev1")
    assert cadence.next_at() == 1000
    assert asked(cadence, 1000) == [("customers", "investigating", 1000, "first")]


def test_nothing_is_due_before_the_declaration() -> None:
    cadence = Cadence(plan())
    assert (cadence.next_at(), cadence.asks(10_000)) == (None, [])


def test_a_message_is_asked_for_the_usual_writing_time_before_it_is_due() -> None:
    cadence = Cadence(plan(), lead_s=420)
    cadence.declared(100, "sev1")
    assert cadence.asks(579) == []
    assert cadence.next_at() == 580
    assert asked(cadence, 580) == [("customers", "investigating", 1000, "first")]


def test_a_writing_time_longer_than_the_promise_asks_at_once_and_not_in_the_past() -> None:
    cadence = Cadence(plan(), lead_s=5000)
    cadence.declared(100, "sev1")
    assert cadence.next_at() == 100


def test_a_message_is_asked_for_once() -> None:
    cadence = Cadence(plan())
    cadence.declared(0, "sev1")
    assert len(cadence.asks(900)) == 1
    assert cadence.asks(901) == []
    assert cadence.next_at() is None
    assert cadence.due("customers") == (900, "first")


def test_the_next_message_is_due_an_interval_after_the_last() -> None:
    cadence = told_once()
    assert cadence.next_at() == 2400
    assert asked(cadence, 2400) == [("customers", "investigating", 2400, "interval")]


def test_a_message_that_names_an_earlier_time_is_held_to_it() -> None:
    cadence = told_once()
    cadence.published(700, "customers", "investigating", promised_s=1500)
    assert cadence.due("customers") == (1500, "promise")


def test_a_message_that_names_a_later_time_does_not_lift_the_interval() -> None:
    cadence = told_once()
    cadence.published(700, "customers", "investigating", promised_s=9000)
    assert cadence.due("customers") == (2500, "interval")


def test_a_promise_lasts_until_the_next_message() -> None:
    cadence = told_once()
    cadence.published(700, "customers", "investigating", promised_s=1500)
    cadence.published(1400, "customers", "investigating")
    assert cadence.due("customers") == (3200, "interval")


def test_a_promise_in_the_past_is_due_now() -> None:
    cadence = told_once()
    cadence.published(700, "customers", "investigating", promised_s=10)
    assert cadence.due("customers") == (700, "promise")


def test_without_an_interval_only_a_change_of_phase_is_news() -> None:
    cadence = told_once(audiences={"customers": {"channel": "mail", "every": None}})
    assert cadence.next_at() is None
    cadence.phase(800, "identified")
    assert asked(cadence, 800) == [("customers", "identified", 800, "phase")]


def test_a_change_of_phase_is_due_at_once() -> None:
    cadence = told_once()
    cadence.phase(1000, "identified")
    assert cadence.next_at() == 1000
    assert asked(cadence, 1000) == [("customers", "identified", 1000, "phase")]


def test_before_the_first_message_a_change_of_phase_changes_what_it_says_not_when() -> None:
    cadence = Cadence(plan())
    cadence.declared(0, "sev1")
    cadence.phase(100, "identified")
    assert asked(cadence, 900) == [("customers", "identified", 900, "first")]


def test_a_message_in_work_is_asked_for_anew_when_the_phase_changes() -> None:
    cadence = Cadence(plan())
    cadence.declared(0, "sev1")
    cadence.asks(900)
    cadence.phase(950, "identified")
    assert cadence.asks(950) == [Ask(950, "customers", "identified", 900, "first")]


def test_a_message_that_is_out_of_date_when_it_is_published_is_followed_by_another() -> None:
    cadence = told_once()
    cadence.phase(700, "identified")
    cadence.published(710, "customers", "investigating")
    assert asked(cadence, 710) == [("customers", "identified", 710, "phase")]


def test_after_resolved_is_published_nothing_is_due() -> None:
    cadence = told_once()
    cadence.phase(1000, "resolved")
    cadence.published(1100, "customers", "resolved")
    assert (cadence.next_at(), cadence.due("customers")) == (None, None)


def test_an_audience_that_was_never_told_is_still_owed_its_first_message_after_the_end() -> None:
    cadence = Cadence(plan())
    cadence.declared(0, "sev1")
    cadence.phase(300, "resolved")
    assert asked(cadence, 900) == [("customers", "resolved", 900, "first")]


def test_a_resolved_message_that_is_not_true_is_corrected_at_once() -> None:
    cadence = told_once()
    cadence.phase(1000, "monitoring")
    cadence.published(1100, "customers", "resolved")
    assert cadence.due("customers") == (1100, "phase")


def test_an_incident_that_comes_back_is_news_to_those_who_were_told_of_its_end() -> None:
    cadence = told_once()
    cadence.phase(1000, "resolved")
    cadence.published(1100, "customers", "resolved")
    cadence.phase(1500, "investigating")
    assert asked(cadence, 1500) == [("customers", "investigating", 1500, "phase")]


def test_an_audience_is_told_from_the_severity_it_asked_for() -> None:
    cadence = Cadence(plan(audiences={"board": {"channel": "phone", "severities": ["sev1"], "first_within": "10m"}}))
    cadence.declared(0, "sev2")
    assert cadence.next_at() is None
    cadence.severity(500, "sev1")
    assert cadence.next_at() == 1100


def test_a_severity_that_falls_before_the_first_message_takes_the_duty_away() -> None:
    cadence = Cadence(plan())
    cadence.declared(0, "sev1")
    cadence.severity(100, "sev3")
    assert cadence.next_at() is None


def test_a_severity_that_falls_later_ends_the_updates_but_not_the_last_message() -> None:
    cadence = told_once()
    cadence.severity(700, "sev3")
    assert cadence.next_at() is None
    cadence.phase(900, "monitoring")
    assert cadence.next_at() is None
    cadence.phase(1000, "resolved")
    assert asked(cadence, 1000) == [("customers", "resolved", 1000, "phase")]


EXECUTIVES = {"executives": {"channel": "phone", "severities": [], "first_within": "5m", "every": "30m"}}


def test_executives_are_told_when_the_money_lost_is_beyond_their_limit() -> None:
    cadence = Cadence(plan(audiences=EXECUTIVES, executives={"exposure_above": "1000 EUR"}))
    cadence.declared(0, "sev3")
    cadence.exposure(100, 1000)
    assert cadence.next_at() is None
    cadence.exposure(200, 1000.01)
    assert asked(cadence, 500) == [("executives", "investigating", 500, "first")]


def test_money_lost_before_the_declaration_counts() -> None:
    cadence = Cadence(plan(audiences=EXECUTIVES, executives={"exposure_above": "1000 EUR"}))
    cadence.exposure(100, 5000)
    cadence.declared(200, "sev3")
    assert cadence.next_at() == 500


def test_executives_are_told_when_the_impact_has_lasted_longer_than_their_limit() -> None:
    cadence = Cadence(plan(audiences=EXECUTIVES, executives={"duration_above": "30m"}))
    cadence.declared(600, "sev3", impact_since_s=0)
    assert cadence.next_at() == 1800
    assert cadence.asks(1800) == []
    assert cadence.next_at() == 2100
    assert asked(cadence, 2100) == [("executives", "investigating", 2100, "first")]
    cadence.published(2110, "executives", "investigating")
    assert cadence.due("executives") == (2110 + 1800, "interval")


def test_an_incident_that_ends_before_the_limit_does_not_concern_executives() -> None:
    cadence = Cadence(plan(audiences=EXECUTIVES, executives={"duration_above": "30m"}))
    cadence.declared(0, "sev3")
    cadence.phase(1000, "resolved")
    assert cadence.next_at() is None


STEPS = st.lists(
    st.tuples(
        st.floats(0, 2000),
        st.sampled_from(["severity", "phase", "published", "exposure", "asks"]),
        st.sampled_from(["sev1", "sev2", "sev3"]),
        st.sampled_from(["investigating", "identified", "monitoring", "resolved"]),
        st.sampled_from(["customers", "executives"]),
        st.none() | st.floats(-1000, 5000),
    ),
    max_size=25,
)


@given(STEPS, st.floats(0, 1000))
def test_it_never_asks_in_the_past_and_never_twice_for_the_same(steps: list[Any], lead_s: float) -> None:
    audiences = {"customers": {"channel": "status_page"}, **EXECUTIVES}
    cadence = Cadence(plan(audiences=audiences, executives={"exposure_above": 100, "duration_above": "1h"}), lead_s=lead_s)
    now = 50.0
    cadence.declared(now, "sev2", impact_since_s=0)
    for wait, step, severity, phase, audience, number in steps:
        now += wait
        match step:
            case "severity":
                cadence.severity(now, severity)
            case "phase":
                cadence.phase(now, phase)
            case "published":
                cadence.published(now, audience, phase, None if number is None else now + number)
            case "exposure":
                cadence.exposure(now, number or 0)
            case "asks":
                assert all(ask.at == now for ask in cadence.asks(now))
                assert cadence.asks(now) == []
        wanted = cadence.next_at()
        assert wanted is None or wanted >= now


@given(st.floats(0, 1000))
def test_a_driver_that_follows_it_keeps_every_promise(lead_s: float) -> None:
    """Ask when it wants to be asked, publish when it is due: the newest message is never older than the interval."""
    cadence = Cadence(plan(), lead_s=lead_s)
    cadence.declared(0, "sev1")
    published = []
    for _ in range(20):
        now = cadence.next_at()
        assert now is not None
        (ask,) = cadence.asks(now)
        cadence.published(max(now, ask.due_s), ask.audience, ask.phase)
        published.append(max(now, ask.due_s))
    assert published[0] <= 900
    assert all(later - earlier <= 1800 for earlier, later in pairwise(published))

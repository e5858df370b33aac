"""Golden tables of what is due when, with the traps: four anchors, weekends, months, holidays, changes of the clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.cli import run_command
from gameday.clocks import DISCLAIMER
from gameday.regimes import DUTIES, Anchors, Calendar, Outage, dora_major_criteria, months_after, nis2_significant, status

BERLIN = ZoneInfo("Europe/Berlin")
BANK = Calendar(timezone=BERLIN, weekend_relief=False)
INSURER = Calendar(timezone=BERLIN, holidays=[date(2026, 4, 3), date(2026, 4, 6)])
"""An entity with the relief of Art. 5(4); Good Friday and Easter Monday of 2026 are its holidays."""


def at(text: str) -> datetime:
    written = datetime.fromisoformat(text)
    return written if written.tzinfo else written.replace(tzinfo=BERLIN)


GOLDEN = [
    # GDPR and NIS2 count hours, through weekends and the night in which the clocks change.
    ("gdpr.authority", {"aware": "2026-01-09T17:00"}, Calendar(), "2026-01-12T17:00"),
    ("gdpr.authority", {"aware": "2026-03-28T12:00"}, Calendar(), "2026-03-31T13:00"),
    ("nis2.early_warning", {"aware": "2026-10-24T12:00"}, Calendar(), "2026-10-25T11:00"),
    ("nis2.notification", {"aware": "2026-01-09T17:00"}, Calendar(), "2026-01-12T17:00"),
    ("nis2.notification", {"aware": "2026-01-09T17:00"}, Calendar(trust_service=True), "2026-01-10T17:00"),
    ("nis2.final", {"notified": "2026-01-31T10:00"}, Calendar(), "2026-02-28T10:00"),
    ("nis2.final", {"notified": "2028-01-30T10:00"}, Calendar(), "2028-02-29T10:00"),
    # DORA: the earlier of 4 h after classification and 24 h after awareness; classified later than that, 4 h (Art. 5(2)).
    ("dora.initial", {"aware": "2026-01-05T08:00", "classified": "2026-01-05T10:00"}, BANK, "2026-01-05T14:00"),
    ("dora.initial", {"aware": "2026-01-05T08:00", "classified": "2026-01-06T06:00"}, BANK, "2026-01-06T08:00"),
    ("dora.initial", {"aware": "2026-01-05T08:00", "classified": "2026-01-06T08:00"}, BANK, "2026-01-06T08:00"),
    ("dora.initial", {"aware": "2026-01-05T08:00", "classified": "2026-01-06T08:01"}, BANK, "2026-01-06T12:01"),
    # Weekends and bank holidays: noon of the next working day, but not for banks.
    ("dora.initial", {"aware": "2026-01-09T22:00", "classified": "2026-01-09T23:00"}, INSURER, "2026-01-12T12:00"),
    ("dora.initial", {"aware": "2026-01-09T22:00", "classified": "2026-01-09T23:00"}, BANK, "2026-01-10T03:00"),
    ("dora.initial", {"aware": "2026-04-02T21:00", "classified": "2026-04-02T22:00"}, INSURER, "2026-04-07T12:00"),
    ("dora.initial", {"aware": "2026-01-11T20:30", "classified": "2026-01-11T21:00"}, INSURER, "2026-01-12T01:00"),
    ("dora.intermediate", {"initial_sent": "2026-01-07T09:00"}, INSURER, "2026-01-12T12:00"),
    ("dora.intermediate", {"initial_sent": "2026-01-07T09:00"}, BANK, "2026-01-10T09:00"),
    ("dora.final", {"intermediate_sent": "2026-03-31T09:00"}, BANK, "2026-04-30T09:00"),
    # SEC: business days from the determination, day zero; a Saturday counts like the Friday before; until 17:30 in New York.
    ("sec.8k", {"determined": "2026-07-10T15:00-04:00"}, Calendar(), "2026-07-16T17:30-04:00"),
    ("sec.8k", {"determined": "2026-07-11T15:00-04:00"}, Calendar(), "2026-07-16T17:30-04:00"),
    ("sec.8k", {"determined": "2026-07-10T23:30-04:00"}, Calendar(), "2026-07-16T17:30-04:00"),
    ("sec.8k", {"determined": "2026-07-01T09:00-04:00"}, Calendar([date(2026, 7, 3)]), "2026-07-08T17:30-04:00"),
    ("nydfs.notice", {"determined": "2026-07-10T15:00-04:00"}, Calendar(), "2026-07-13T15:00-04:00"),
    ("nydfs.extortion", {"paid": "2026-07-10T15:00-04:00"}, Calendar(), "2026-07-11T15:00-04:00"),
    ("hipaa.notice", {"discovered": "2026-01-01T15:00"}, Calendar(timezone=BERLIN), "2026-03-03T00:00"),
]


@pytest.mark.parametrize(("duty", "anchors", "days", "due"), GOLDEN)
def test_the_golden_table(duty: str, anchors: dict[str, str], days: Calendar, due: str) -> None:
    found = DUTIES[duty].due(Anchors(**{name: at(text) for name, text in anchors.items()}), days)
    assert found == at(due)


def test_a_missing_anchor_is_a_state_and_no_midnight() -> None:
    now = at("2026-01-05T08:00")
    for duty in DUTIES.values():
        found = status(duty, Anchors(), now)
        assert found.state == ("anchor-missing" if duty.disabled is None else "not-applicable")
        assert found.due is None


def test_each_state_of_one_duty() -> None:
    duty, anchors = DUTIES["nis2.early_warning"], Anchors(aware=at("2026-01-05T08:00"))
    due = at("2026-01-06T08:00")
    assert status(duty, anchors, at("2026-01-05T07:00")).state == "not-started"
    assert status(duty, anchors, due).state == "running"
    assert status(duty, anchors, due + timedelta(seconds=1)).state == "late"
    assert status(duty, anchors, due + timedelta(days=9), met=due).state == "met"
    assert status(duty, anchors, due + timedelta(days=9), met=due + timedelta(seconds=1)).state == "late"
    assert status(duty, anchors, due, met=at("2026-01-05T06:00")).state == "met", "a notice before the anchor"
    assert status(duty, anchors, due, met=due + timedelta(hours=1)).state == "running", "a notice of the future is none yet"
    assert status(duty, anchors, due, applies=False).state == "not-applicable"


def test_what_is_not_in_force_is_shipped_with_its_reason_and_never_late() -> None:
    disabled = {name: duty.disabled for name, duty in DUTIES.items() if duty.disabled}
    assert set(disabled) == {"uk.initial", "circia.incident", "circia.ransom"}
    assert all("2026-10-05" in why or "2027-03-18" in why for why in disabled.values())
    long_ago = Anchors(aware=at("2020-01-01T00:00"), determined=at("2020-01-01T00:00"), paid=at("2020-01-01T00:00"))
    assert {status(DUTIES[name], long_ago, at("2026-01-01T00:00")).state for name in disabled} == {"not-applicable"}


@pytest.mark.parametrize(
    ("outage", "significant"),
    [
        (Outage(unavailable_s=1800), False),
        (Outage(unavailable_s=1801), True),
        (Outage(unavailable_s=7200, planned=True), False),
        (Outage(limited_s=3601, affected_users_ratio=0.05), False),
        (Outage(limited_s=3601, affected_users_ratio=0.051), True),
        (Outage(limited_s=3600, affected_users_ratio=1.0), False),
        (Outage(limited_s=3601, affected_users=1_000_001), True),
        (Outage(slow_dns_s=3601), True),
        (Outage(loss_eur=500_001), True),
        (Outage(loss_eur=60_000, turnover_eur=1_000_000), True),
        (Outage(loss_eur=60_000), False),
    ],
)
def test_the_availability_thresholds_of_nis2(outage: Outage, *, significant: bool) -> None:
    assert bool(nis2_significant(outage)) is significant


def test_the_criteria_of_dora_that_an_outage_can_meet() -> None:
    assert dora_major_criteria(Outage(duration_s=24 * 3600, unavailable_s=2 * 3600, loss_eur=100_000)) == ()
    assert len(dora_major_criteria(Outage(duration_s=24 * 3600 + 1, unavailable_s=2 * 3600 + 1, loss_eur=100_001))) == 3
    assert dora_major_criteria(Outage(unavailable_s=2 * 3600 + 1, critical=False)) == ()


def test_a_time_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="'aware' needs an offset"):
        Anchors(aware=datetime(2026, 1, 5, 8))  # noqa: DTZ001 - that is the point


@given(
    aware=st.datetimes(datetime.fromisoformat("2026-01-01"), datetime.fromisoformat("2027-01-01"), timezones=st.just(UTC)),
    later_h=st.floats(0, 100),
)
def test_dora_is_never_due_before_its_classification_and_relief_never_shortens(aware: datetime, later_h: float) -> None:
    anchors = Anchors(aware=aware, classified=aware + timedelta(hours=later_h))
    strict, relieved = (DUTIES["dora.initial"].due(anchors, days) for days in (BANK, INSURER))
    assert strict is not None
    assert relieved is not None
    assert anchors.classified is not None
    assert strict >= min(anchors.classified, aware + timedelta(hours=24))
    assert relieved >= strict
    assert INSURER.is_working_day(relieved.astimezone(BERLIN).date())


@given(st.datetimes(timezones=st.just(UTC), max_value=datetime.fromisoformat("9990-01-01")), st.integers(1, 24))
def test_a_month_later_is_the_same_day_or_the_last_of_the_month(when: datetime, count: int) -> None:
    found = months_after(when, count)
    assert (found.year * 12 + found.month) - (when.year * 12 + when.month) == count
    assert found.day == when.day or (found + timedelta(days=1)).month != found.month


def test_the_command_shows_every_duty_with_its_law_and_that_it_is_no_advice(capsys: pytest.CaptureFixture[str]) -> None:
    times = ["--at", "2026-01-06T07:00+01:00", "--aware", "2026-01-05T08:00+01:00", "--classified", "2026-01-06T06:00+01:00"]
    assert run_command(["clocks", *times, "--timezone", "Europe/Berlin"]) == 0
    shown = capsys.readouterr().out
    assert DISCLAIMER in shown
    assert "2026-01-06 08:00 CET" in shown
    assert all(name in shown for name in DUTIES)
    assert run_command(["clocks", "--at", "2026-02-06T07:00+01:00", *times[2:]]) == 1, "something is late"


def test_the_command_refuses_what_it_cannot_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["clocks", "--at", "2026-01-06T07:00", "--aware", "yesterday"]) == 2
    assert "needs an offset" in capsys.readouterr().err

"""When notices are due by law: pure functions from timestamps to timestamps. Not legal advice.

    due = DUTIES["dora.initial"].due(Anchors(aware=..., classified=...), Calendar())
    status(DUTIES["dora.initial"], anchors, now=..., met=None)       # running, due 08:00, 3 h left

The rule that surprises: there is no "72 hours". Regimes count from four different things (awareness, classification, determination, the
notice before), some in calendar hours, some in business days, some with relief at weekends. A missing anchor is a state of its own: it is
never taken to be midnight, or now.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, Literal
from zoneinfo import ZoneInfo

State = Literal["not-started", "running", "met", "late", "anchor-missing", "not-applicable"]
Anchor = Literal["aware", "classified", "determined", "discovered", "notified", "initial_sent", "intermediate_sent", "paid"]

NOON: Final = time(12, 0)
EDGAR_CLOSES: Final = time(17, 30)
"""Eastern time until which a filing has the date of its day (17 CFR 232.13)."""
EASTERN: Final = ZoneInfo("America/New_York")


@dataclass(frozen=True, slots=True)
class Anchors:
    """What happened when. Every time carries its offset; None = it has not happened, or nobody wrote it down."""

    aware: datetime | None = None
    """The organisation became aware of the incident."""
    classified: datetime | None = None
    """It was classified as major (DORA)."""
    determined: datetime | None = None
    """It was determined to be material (SEC), or to be reportable (NYDFS)."""
    discovered: datetime | None = None
    """The breach was discovered, or could reasonably have been (HIPAA)."""
    notified: datetime | None = None
    """The incident notification was submitted (NIS2)."""
    initial_sent: datetime | None = None
    """The initial notification was submitted (DORA)."""
    intermediate_sent: datetime | None = None
    """The latest intermediate report was submitted (DORA)."""
    paid: datetime | None = None
    """An extortion payment was made."""

    def __post_init__(self) -> None:
        """A time without an offset is refused: it would be another instant on another machine."""
        for each in fields(self):
            at = getattr(self, each.name)
            if at is not None and at.tzinfo is None:
                raise ValueError(f"'{each.name}' needs an offset from UTC, e.g. 2026-01-05T08:00+01:00, not {at.isoformat()}")


@dataclass(frozen=True, slots=True)
class Calendar:
    """Whose days: holidays are the caller's data."""

    holidays: Collection[date] = ()
    timezone: tzinfo = UTC
    """Clock of the authority, for days and for noon."""
    weekend_relief: bool = True
    """DORA Art. 5(4); False for those that Art. 5(5) leaves out: credit institutions, central counterparties, operators of trading
    venues, essential and important entities of NIS2. It concerns initial and intermediate notices only."""
    trust_service: bool = False
    """NIS2 Art. 23(4): trust service providers notify within 24 hours."""

    def is_working_day(self, day: date) -> bool:
        """Monday to Friday, and no holiday."""
        return day.weekday() < 5 and day not in self.holidays


Due = Callable[[datetime, Anchors, Calendar], datetime]


@dataclass(frozen=True, slots=True)
class Duty:
    """One notice that is due to somebody."""

    name: str
    regime: str
    instrument: str
    """Law and article, with the version that was read."""
    anchor: Anchor
    what: str
    compute: Due
    disabled: str | None = None
    """Why it is shipped but not counted; None = it counts."""

    def due(self, anchors: Anchors, days: Calendar | None = None) -> datetime | None:
        """When it is due; None where its anchor is missing or it is disabled."""
        at: datetime | None = getattr(anchors, self.anchor)
        return None if at is None or self.disabled is not None else self.compute(at, anchors, days or Calendar())


@dataclass(frozen=True, slots=True)
class Status:
    """Where a duty stands."""

    state: State
    due: datetime | None = None
    margin_s: float | None = None
    """Time left, or left when it was met; negative when late."""


def status(
    duty: Duty,
    anchors: Anchors,
    now: datetime,
    met: datetime | None = None,
    days: Calendar | None = None,
    *,
    applies: bool = True,
) -> Status:
    """Where a duty stands at an instant. `applies`: whether its thresholds are met; `met`: when the notice was sent.

    A notice sent exactly when it is due is in time; one sent before the anchor meets it. An anchor in the future has not started.
    """
    if not applies or duty.disabled is not None:
        return Status("not-applicable")
    due = duty.due(anchors, days)
    if due is None:
        return Status("anchor-missing")
    if met is not None and met <= now:
        return Status("met" if met <= due else "late", due, (due - met).total_seconds())
    if getattr(anchors, duty.anchor) > now:
        return Status("not-started", due)
    return Status("running" if now <= due else "late", due, (due - now).total_seconds())


# -- rules --------------------------------------------------------------------------------------------------------------


def hours(count: float) -> Due:
    """So many hours after the anchor, through nights, weekends and changes of the clocks."""
    return lambda at, _anchors, _days: hours_after(at, count)


def hours_after(at: datetime, count: float) -> datetime:
    """Real hours later, UTC. Adding to a local time instead would add hours of the clock, an hour wrong twice a year."""
    return at.astimezone(UTC) + timedelta(hours=count)


def months_after(at: datetime, count: int) -> datetime:
    """The same day and time some months later; the last day of a shorter month (Regulation 1182/71, Art. 3(2)(c))."""
    month = at.month - 1 + count
    year, month = at.year + month // 12, month % 12 + 1
    return at.replace(year=year, month=month, day=min(at.day, calendar.monthrange(year, month)[1]))


def dora_initial_due(aware: datetime | None, classified: datetime) -> datetime:
    """Delegated Regulation (EU) 2025/301, Art. 5(1)(a) and 5(2), before any relief for weekends.

    The earlier of 4 hours after classification and 24 hours after awareness; an incident classified more than 24 hours after
    awareness has its 4 hours from classification. Not legal advice.
    """
    by_class = hours_after(classified, 4)
    if aware is None:
        return by_class
    by_awareness = hours_after(aware, 24)
    return by_class if classified > by_awareness else min(by_class, by_awareness)


def with_weekend_relief(due: datetime, days: Calendar) -> datetime:
    """DORA Art. 5(4): a time on a weekend or bank holiday moves to noon of the next working day, on the authority's clock."""
    local = due.astimezone(days.timezone)
    if not days.weekend_relief or days.is_working_day(local.date()):
        return due
    day = local.date()
    while not days.is_working_day(day):
        day += timedelta(days=1)
    return datetime.combine(day, NOON, days.timezone)


def sec_8k_due(determined: date, holidays: Collection[date] = ()) -> date:
    """Day a Form 8-K under Item 1.05 is due: four business days after the *determination* of materiality, which is day zero.

    General Instruction B.1: an event on a Saturday, Sunday or holiday counts from the next business day, which is then day one.
    Holidays are the caller's data. Not legal advice.
    """
    days, day = Calendar(holidays), determined
    for _ in range(4):
        day += timedelta(days=1)
        while not days.is_working_day(day):
            day += timedelta(days=1)
    return day


def _dora_initial(classified: datetime, anchors: Anchors, days: Calendar) -> datetime:
    return with_weekend_relief(dora_initial_due(anchors.aware, classified), days)


def _dora_intermediate(initial_sent: datetime, _anchors: Anchors, days: Calendar) -> datetime:
    return with_weekend_relief(hours_after(initial_sent, 72), days)


def _one_month(at: datetime, _anchors: Anchors, _days: Calendar) -> datetime:
    return months_after(at, 1)


def _nis2_notification(aware: datetime, _anchors: Anchors, days: Calendar) -> datetime:
    return hours_after(aware, 24 if days.trust_service else 72)


def _sec(determined: datetime, _anchors: Anchors, days: Calendar) -> datetime:
    day = sec_8k_due(determined.astimezone(EASTERN).date(), days.holidays)
    return datetime.combine(day, EDGAR_CLOSES, EASTERN)


def _hipaa(discovered: datetime, _anchors: Anchors, days: Calendar) -> datetime:
    """Sixty calendar days; the whole of the last one, on the clock of the organisation."""
    day = discovered.astimezone(days.timezone).date() + timedelta(days=61)
    return datetime.combine(day, time(0, 0), days.timezone)


# -- thresholds ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outage:
    """What an outage did, in the measures of the thresholds."""

    unavailable_s: float = 0.0
    """How long it was fully unavailable."""
    limited_s: float = 0.0
    """How long it was limited for the users below."""
    affected_users_ratio: float = 0.0
    """Share of the users in the Union."""
    affected_users: int = 0
    """Users in the Union."""
    slow_dns_s: float = 0.0
    """How long the mean answer of a DNS resolver took more than ten seconds."""
    loss_eur: float = 0.0
    turnover_eur: float | None = None
    """Of the financial year before."""
    planned: bool = False
    """Whether it was planned maintenance."""
    critical: bool = True
    """Whether it supports a critical or important function (DORA)."""
    duration_s: float = 0.0
    """From occurrence to the end (DORA)."""


def nis2_significant(outage: Outage) -> tuple[str, ...]:
    """Why an outage is a significant incident of a DNS, cloud, data-centre, CDN or managed service; empty = it is none.

    Implementing Regulation (EU) 2024/2690, Art. 3 and 5 to 10; two similar incidents in six months count together, which is the
    caller's sum. Not legal advice.
    """
    if outage.planned:
        return ()
    limit = 500_000.0 if outage.turnover_eur is None else min(500_000.0, 0.05 * outage.turnover_eur)
    rules = (
        (outage.unavailable_s > 30 * 60, "fully unavailable for more than 30 minutes"),
        (
            outage.limited_s > 3600 and (outage.affected_users_ratio > 0.05 or outage.affected_users > 1_000_000),
            "limited for more than an hour for more than 5 % of users or one million",
        ),
        (outage.slow_dns_s > 3600, "DNS answers took more than 10 s on average for more than an hour"),
        (outage.loss_eur > limit, "direct loss of more than 500,000 euros or 5 % of turnover, whichever is lower"),
    )
    return tuple(why for holds, why in rules if holds)


def dora_major_criteria(outage: Outage) -> tuple[str, ...]:
    """Criteria on duration and money that an incident meets (Delegated Regulation (EU) 2024/1772, Art. 9(3) and (6)).

    Whether it is major depends on further criteria that a simulation does not know. Not legal advice.
    """
    rules = (
        (outage.duration_s > 24 * 3600, "duration of more than 24 hours"),
        (outage.critical and outage.unavailable_s > 2 * 3600, "downtime of more than 2 hours of a critical function"),
        (outage.loss_eur > 100_000, "economic impact of more than 100,000 euros"),
    )
    return tuple(why for holds, why in rules if holds)


_NIS2: Final = "Directive (EU) 2022/2555"
_DORA: Final = "Delegated Regulation (EU) 2025/301"
_HIPAA_WHAT: Final = "notices to individuals; to the department and the media from 500 persons"
_NO_RULE: Final = "no final rule as of 2026-10-05"
_FCA: Final = "in force from 2027-03-18; the text was read in summaries of law firms only"

_ALL: Final = (
    Duty("gdpr.authority", "GDPR", "Regulation (EU) 2016/679, Art. 33(1)", "aware", "notice to the authority", hours(72)),
    Duty("nis2.early_warning", "NIS2", f"{_NIS2}, Art. 23(4)(a)", "aware", "early warning", hours(24)),
    Duty("nis2.notification", "NIS2", f"{_NIS2}, Art. 23(4)(b)", "aware", "incident notification", _nis2_notification),
    Duty("nis2.final", "NIS2", f"{_NIS2}, Art. 23(4)(d)", "notified", "final report, or progress report", _one_month),
    Duty("dora.initial", "DORA", f"{_DORA}, Art. 5(1)(a), 5(2), 5(4)", "classified", "initial notification", _dora_initial),
    Duty("dora.intermediate", "DORA", f"{_DORA}, Art. 5(1)(b), 5(4)", "initial_sent", "intermediate report", _dora_intermediate),
    Duty("dora.final", "DORA", f"{_DORA}, Art. 5(1)(c)", "intermediate_sent", "final report", _one_month),
    Duty("sec.8k", "SEC", "Form 8-K, Item 1.05; General Instruction B.1", "determined", "Form 8-K", _sec),
    Duty("nydfs.notice", "NYDFS", "23 NYCRR 500.17(a)", "determined", "notice to the superintendent", hours(72)),
    Duty("nydfs.extortion", "NYDFS", "23 NYCRR 500.17(c)", "paid", "notice of an extortion payment", hours(24)),
    Duty("hipaa.notice", "HIPAA", "45 CFR 164.404, 164.406, 164.408", "discovered", _HIPAA_WHAT, _hipaa),
    Duty("uk.initial", "UK", "FCA PS26/2, PRA PS7/26", "determined", "initial report", hours(24), _FCA),
    Duty("circia.incident", "CIRCIA", "6 U.S.C. 681b(a)(1)", "aware", "report of a covered incident", hours(72), _NO_RULE),
    Duty("circia.ransom", "CIRCIA", "6 U.S.C. 681b(a)(2)", "paid", "report of a ransom payment", hours(24), _NO_RULE),
)
DUTIES: Final[Mapping[str, Duty]] = {duty.name: duty for duty in _ALL}
"""Every duty by its name."""

"""Notices due by law in a scenario: which, to whom, and who says what kind of incident it is. Not legal advice."""

from __future__ import annotations

from datetime import date
from typing import Literal

from gameday.scenario.base import Strict
from gameday.scenario.quantities import Duration
from gameday.scenario.spread import LogNormal
from gameday.scenario.system import Name


class LegalDuty(Strict):
    """One notice. What starts it, and when it is due, is the law's: `gameday clocks` shows both."""

    audience: Name
    """Audience whose first message is the notice; each notice has an audience of its own."""
    only_if: Literal["nis2_significant", "dora_major"] | None = None
    """Threshold that the outage has to reach for the duty to exist, measured from lost requests: nis2_significant (Implementing Regulation
    2024/2690: fully unavailable for 30 minutes, or an hour with more than 5% lost, or 500,000 EUR), dora_major (Delegated Regulation
    2024/1772: criteria on duration and money only); none = the duty exists in every incident."""
    asks: bool = True
    """Whether its start asks for the message, also when the incident is over; false: nobody is reminded."""


class Regulation(Strict):
    """Duties of notification, by the names of `gameday clocks`. Not legal advice."""

    duties: dict[str, LegalDuty] = {}
    """Duty (`gdpr.authority`, `nis2.early_warning`, `dora.initial` ...) to its notice. Awareness is the first acknowledged page or the
    declaration, whichever comes first after users were hurt; classification and determination are `incident.classified`."""
    classified_by: Name | None = None
    """Role that classifies the incident, as DORA, SEC and NYDFS need it; where nobody of it answers, their clocks have no
    anchor. None = no duty counts from it."""
    classify: LogNormal = LogNormal(median=1800.0, sigma=0.6)
    """Time it takes. Assumption."""
    classify_after: Duration = 0.0
    """Time from the declaration until whoever classifies is asked."""
    timezone: str = "UTC"
    """Clock of the authority, IANA name."""
    holidays: list[date] = []
    """Days that are no working days, ISO."""
    weekend_relief: bool = True
    """DORA Art. 5(4); false for those that Art. 5(5) leaves out: banks, trading venues, entities of NIS2."""
    trust_service: bool = False
    """NIS2 Art. 23(4): trust service providers notify within 24 hours."""

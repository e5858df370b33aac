"""Settings of the status page: as in `more_effects.py`."""

from __future__ import annotations

from typing import Any

from tests.people.effects import Effect, Patch, audience, communication, faults, response, timing, together
from tests.people.small import fixed

STATUS_KINDS = ("status.component",)


def page(**patch: Any) -> Patch:
    return communication(status_page=patch)


APPROVED_BY_LEGAL = audience(approvals=["legal"])
COUNSEL = together(APPROVED_BY_LEGAL, response(people={"di": {"only_in_office": True}}))


def law(**patch: Any) -> Patch:
    return communication(regulation=patch)


AUTHORITY = communication(audiences={"authority": {"channel": "portal", "severities": ["sev3"]}})
DORA = {"dora.initial": {"audience": "authority"}}
LEGAL = together(AUTHORITY, law(duties=DORA, classified_by="legal", classify=fixed(60)))
SUNDAY = together(LEGAL, {"starts": "2026-03-08T10:00:00+00:00"})
NIS2 = together(AUTHORITY, law(duties={"nis2.notification": {"audience": "authority"}}))
SHOP = {"shop": {"classes": ["buy"]}}
SHOWN = together(
    timing(diagnose=fixed(600)), {"duration": "30m"}, audience(first_within="2m"), page(components=SHOP, wrong=0, forgotten=0)
)
WORK = {"schedule": {"maintenance": [{"what": "new racks", "target": "region/b", "at": "2m", "for": "3m"}]}}
OF_A = faults("errors service/shop@a ratio=100% at 3m")
STATUS: dict[str, Effect] = {
    "communication.regulation": Effect(LEGAL, ("clock.started",)),
    "Regulation.duties": Effect(LEGAL, ("clock.started",)),
    "Regulation.classified_by": Effect(law(classified_by="communications"), ("incident.classified",), LEGAL),
    "Regulation.classify": Effect(law(classify=fixed(300)), ("incident.classified",), LEGAL),
    "Regulation.classify_after": Effect(law(classify_after="2m"), ("incident.classified",), LEGAL),
    "Regulation.timezone": Effect(law(timezone="Asia/Tokyo"), ("clock.started",), SUNDAY),
    "Regulation.holidays": Effect(law(holidays=["2026-03-09"]), ("clock.started",), SUNDAY),
    "Regulation.weekend_relief": Effect(law(weekend_relief=False), ("clock.started",), SUNDAY),
    "Regulation.trust_service": Effect(law(trust_service=True), ("clock.started",), NIS2),
    "LegalDuty.audience": Effect(
        law(duties={"dora.initial": {"audience": "customers"}}), ("clock.met",), together(LEGAL, audience(first_within="2m"))
    ),
    "LegalDuty.only_if": Effect(law(duties={"dora.initial": {"only_if": "dora_major"}}), ("clock.started",), LEGAL),
    "LegalDuty.asks": Effect(law(duties={"dora.initial": {"asks": False}}), ("message.drafted",), LEGAL),
    "Person.office": Effect(response(people={"di": {"office": ["06:00", "09:00"]}}), ("message.approved",), COUNSEL),
    "Person.office_days": Effect(response(people={"di": {"office_days": ["tue"]}}), ("message.approved",), COUNSEL),
    "Person.only_in_office": Effect(
        response(people={"di": {"only_in_office": True}}),
        ("message.approved",),
        together(APPROVED_BY_LEGAL, response(people={"di": {"office": ["06:00", "09:00"]}})),
    ),
    "Audience.by_severity": Effect(audience(by_severity={"sev1": {"first_within": "2m"}}), ("message.drafted",)),
    "Pace.first_within": Effect(audience(by_severity={"sev1": {"first_within": "2m"}}), ("message.drafted",)),
    "Pace.every": Effect(
        audience(by_severity={"sev1": {"every": "4m"}}),
        ("message.drafted",),
        together(timing(diagnose=fixed(900)), {"duration": "30m"}),
    ),
    "communication.scoping": Effect(communication(scoping=True), ("incident.phase",), timing(diagnose=fixed(400))),
    "Timing.scope": Effect(
        timing(scope=fixed(60)), ("incident.phase",), together(communication(scoping=True), timing(diagnose=fixed(400)))
    ),
    "StatusPage.components": Effect(page(components=SHOP), STATUS_KINDS, audience(first_within="2m")),
    "StatusPage.set_component": Effect(page(set_component=fixed(100)), STATUS_KINDS, SHOWN),
    "StatusPage.wrong": Effect(page(wrong=1), STATUS_KINDS, SHOWN),
    "StatusPage.forgotten": Effect(page(forgotten=1), STATUS_KINDS, SHOWN),
    "StatusPage.looked_at": Effect(page(looked_at="1m"), STATUS_KINDS, together(SHOWN, page(wrong=1))),
    "StatusComponent.classes": Effect(
        page(components={"shop": {"classes": ["look"]}}),
        STATUS_KINDS,
        together(
            SHOWN,
            {"load": {"classes": {"look": {"entry": "site", "rate": "4/s"}}}},
            {"system": {"services": {"site": {"instances": 1, "slots": 20, "service_time": "constant 5ms", "boot": "5s"}}}},
        ),
    ),
    "StatusComponent.region": Effect(page(components={"shop": {"region": "b"}}), STATUS_KINDS, together(SHOWN, OF_A)),
    "StatusComponent.maintenance": Effect(
        page(components={"shop": {"maintenance": ["region/b"]}}), STATUS_KINDS, together(SHOWN, WORK)
    ),
}
"""Each on the small day of `small.py`."""

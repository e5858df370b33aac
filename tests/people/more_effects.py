"""Settings of rotas, contacts, command and communication: a change of one field, the kinds of event that must differ, the day, seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.people.effects import Effect, response, together
from tests.people.small import fixed

Patch = Mapping[str, Any]


def rota(**patch: Any) -> Patch:
    return response(rotas={"shop": patch})


DEFAULT = {"levels": [{"notify": ["rota/shop"], "after": "5m"}, {"notify": ["person/di"], "after": "5m"}]}
ROTA = response(
    rotas={"shop": {"people": ["ana", "bo"], "shift": "1d", "starts": "2026-03-01T00:00:00"}},
    escalations={"default": DEFAULT},
)
MORNING = [{"days": ["mon"], "starts": "08:00", "ends": "12:00"}]
LAYER = {"people": ["cy", "di"], "shift": "1d", "starts": "2026-03-02T00:00:00"}
LAYERED = together(ROTA, rota(layers=[LAYER]))
OVERRIDE = {"person": "cy", "starts": "2026-03-02T10:00:00", "ends": "2026-03-02T11:00:00"}
SWAPPED = together(ROTA, rota(overrides=[OVERRIDE]))
SHIFT = {"person": "cy", "starts": "2026-03-02T10:00:00", "ends": "2026-03-02T11:00:00"}
SHIFTS = together(ROTA, rota(shifts=[SHIFT]))
SUPPORT: dict[str, Any] = {"timezone": "UTC", "days": ["mon"], "starts": "10:10", "ends": "17:00"}
QUIET = response(teams={"shop": {"support_hours": SUPPORT}}, timing={"miss": 1})
PAGE = ("page.sent",)


def layer(**patch: Any) -> Patch:
    return rota(layers=[{**LAYER, **patch}])


def override(**patch: Any) -> Patch:
    return rota(overrides=[{**OVERRIDE, **patch}])


def shift(**patch: Any) -> Patch:
    return rota(shifts=[{**SHIFT, **patch}])


def support(**patch: Any) -> Patch:
    return response(teams={"shop": {"support_hours": {**SUPPORT, **patch}}})


Row = tuple[Patch, tuple[str, ...]] | tuple[Patch, tuple[str, ...], Patch] | tuple[Patch, tuple[str, ...], Patch, int]

ROWS: dict[str, Row] = {
    "response.pager_limits": (
        response(pager_limits="goalert"),
        ("page.repeated",),
        response(people={"ana": {"contacts": [{"by": "sms"}, {"by": "sms", "after": "30s"}]}}, timing={"miss": 1}),
    ),
    "Person.contacts": (response(people={"ana": {"contacts": [{"by": "voice"}]}}), ("page.delivered",)),
    "Contact.by": (
        response(people={"ana": {"contacts": [{"by": "sms"}]}}),
        PAGE,
        response(people={"ana": {"contacts": [{"by": "push"}]}}),
    ),
    "Contact.after": (
        response(people={"ana": {"contacts": [{"after": "1m"}]}}),
        PAGE,
        response(people={"ana": {"contacts": [{"after": "10s"}]}}),
    ),
    "Team.support_hours": (QUIET, PAGE, response(timing={"miss": 1})),
    "SupportHours.timezone": (support(timezone="Asia/Tokyo"), PAGE, QUIET),
    "SupportHours.days": (support(days=["tue"]), PAGE, QUIET),
    "SupportHours.starts": (support(starts="10:08"), PAGE, QUIET),
    "SupportHours.ends": (support(starts="06:00", ends="10:00"), PAGE, together(QUIET, support(starts="06:00"))),
    "SupportHours.always": (support(always=["errors"]), PAGE, QUIET),
    "Escalation.acknowledgement_timeout": (
        response(escalations={"default": {"acknowledgement_timeout": "3m"}}),
        PAGE,
        response(timing={"diagnose": fixed(900)}),
    ),
    "Rota.timezone": (
        rota(timezone="Asia/Tokyo", starts="2026-03-01T18:00:00"),
        PAGE,
        together(ROTA, rota(starts="2026-03-01T18:00:00")),
    ),
    "Rota.only": (rota(only=[{"days": ["tue"]}]), PAGE, ROTA),
    "Rota.layers": (rota(layers=[LAYER]), PAGE, ROTA),
    "Rota.shifts": (rota(shifts=[SHIFT]), PAGE, ROTA),
    "Rota.overrides": (rota(overrides=[OVERRIDE]), PAGE, ROTA),
    "Hours.days": (rota(only=[{**MORNING[0], "days": ["tue"]}]), PAGE, together(ROTA, rota(only=MORNING))),
    "Hours.starts": (rota(only=[{**MORNING[0], "starts": "11:00"}]), PAGE, together(ROTA, rota(only=MORNING))),
    "Hours.ends": (rota(only=[{**MORNING[0], "ends": "09:00"}]), PAGE, together(ROTA, rota(only=MORNING))),
    "Layer.people": (layer(people=["di"]), PAGE, LAYERED),
    "Layer.shift": (layer(shift="6h"), PAGE, LAYERED),
    "Layer.starts": (layer(starts="2026-03-01T00:00:00"), PAGE, LAYERED),
    "Layer.only": (layer(only=[{"days": ["tue"]}]), PAGE, LAYERED),
    "Layer.since": (layer(since="2026-03-03T00:00:00"), PAGE, LAYERED),
    "Layer.until": (layer(until="2026-03-01T00:00:00"), PAGE, LAYERED),
    "Override.person": (override(person="di"), PAGE, SWAPPED),
    "Override.instead_of": (override(instead_of="di"), PAGE, SWAPPED),
    "Override.starts": (override(starts="2026-03-02T10:30:00"), PAGE, SWAPPED),
    "Override.ends": (override(ends="2026-03-02T10:01:00"), PAGE, SWAPPED),
    "Shift.person": (shift(person="di"), PAGE, SHIFTS),
    "Shift.starts": (shift(starts="2026-03-02T10:30:00"), PAGE, SHIFTS),
    "Shift.ends": (shift(ends="2026-03-02T10:01:00"), PAGE, SHIFTS),
}
"""Each on the small day of `small.py`, which begins on a Monday at 10:00 UTC and is hurt from 10:03."""

MORE_WITHOUT_MECHANISM = {"Rota.calendar": "read into shifts before anything is played: tests/escalation/test_calendars.py"}
MORE_EFFECTS = {name: Effect(*row) for name, row in ROWS.items()}

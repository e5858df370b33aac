"""What messages claim, held against the truth at the time they were published.

| claim | true when |
|---|---|
| components | each class was hurt then; in monitoring and resolved, at any time of the incident |
| regions | each was hit by an active fault then, or its clients lost requests; in monitoring and resolved, at any time of the incident |
| state: resolved | nobody was hurt then |
| started_s | within five minutes of t0 |
| data_loss | acknowledged writes had been lost by then, or had not |

The rule that surprises: only what is claimed is judged. What is left unsaid is the business of clarity, and a claim about which the run
holds no truth is not counted at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gameday.scores.failover_decision import origins_of, regions_hit
from gameday.scores.readings import good_share

if TYPE_CHECKING:
    from gameday.scores.case import Case
    from gameday.scores.incidents import Incident
    from gameday.timeline import Event

START_TOLERANCE_S: Final = 300.0
"""How far the claimed start may be from t0. Assumption: people read it off dashboards with windows of minutes."""
LOOK_BACK_S: Final = 60.0
"""Window in which the clients of a region are looked at."""
WELL_RATIO: Final = 0.95
"""Share of good answers below which a region's clients count as hurt (default objective of a class)."""
_AFTERWARDS: Final = frozenset({"monitoring", "resolved"})


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim that could be checked."""

    what: str
    true: bool
    words: str
    """What was claimed, and what was true instead."""


def checked_claims(case: Case, message: Event) -> Iterator[Claim]:
    """The claims of a published message about which the run holds the truth."""
    claims = message.data.get("claims")
    incident = next((one for one in case.incidents if one.owns(message.t)), None)
    if not isinstance(claims, dict):
        return
    if claims.get("state") == "resolved":
        hurt = [one.subject for i in case.incidents for one in i.impacts if one.hurts_at(message.t)]
        yield Claim("state", not hurt, f"it was called resolved while {', '.join(hurt)} were hurt")
    if incident is None:
        return
    afterwards = message.data.get("phase") in _AFTERWARDS
    yield from _about_classes(case, incident, message, claims.get("components"), afterwards=afterwards)
    yield from _about_regions(case, incident, message, claims.get("regions"), afterwards=afterwards)
    started_s = claims.get("started_s")
    if isinstance(started_s, int | float) and not isinstance(started_s, bool):
        off_s = abs(started_s - incident.t0_s)
        yield Claim("started_s", off_s <= START_TOLERANCE_S, f"the claimed start was {off_s:.0f} s off")
    yield from _about_data(case, message, claims.get("data_loss"))


def _about_classes(case: Case, incident: Incident, message: Event, claimed: object, *, afterwards: bool) -> Iterator[Claim]:
    hurt = {one.request_class for one in incident.impacts if one.hurts_at(message.t) or (afterwards and one.start_s <= message.t)}
    for name in _names(claimed):
        if name in case.scenario.load.classes:
            yield Claim("components", name in hurt, f"{name} was called affected and was not")


def _about_regions(case: Case, incident: Incident, message: Event, claimed: object, *, afterwards: bool) -> Iterator[Claim]:
    since_s = incident.t0_s if afterwards else max(incident.t0_s, message.t - LOOK_BACK_S)
    until_s = max(message.t, since_s + 1.0)
    hit = {
        region
        for fault in incident.faults
        if fault.active_in(incident.t0_s if afterwards else message.t, message.t)
        for region in regions_hit(case, fault)
    }
    for name in _names(claimed):
        if name not in case.scenario.system.regions:
            continue
        origins = origins_of(case, name) if case.scenario.system.traffic.origins else frozenset()
        share = good_share(case.series, since_s, until_s, lambda labels, origins=origins: labels.get("origin") in origins)  # type: ignore[misc]
        if name in hit or (share is not None and share < WELL_RATIO):
            yield Claim("regions", True, f"{name} was called affected")
        elif share is not None or incident.faults:
            yield Claim("regions", False, f"{name} was called affected and was not")


def _about_data(case: Case, message: Event, claimed: object) -> Iterator[Claim]:
    if not isinstance(claimed, bool):
        return
    promoted = case.events("failover.promoted").where(lambda event: event.t <= message.t)
    counted = [event for event in promoted if event.data.get("lost_writes") is not None]
    if promoted and not counted:
        return
    lost = any(event.number("lost_writes") > 0 for event in counted)
    words = "writes were said to be lost and were not" if claimed else "no data was said to be lost, and writes were"
    yield Claim("data_loss", claimed == lost, words)


def _names(value: object) -> list[str]:
    return [str(name) for name in value] if isinstance(value, list | tuple) else []

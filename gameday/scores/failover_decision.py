"""Whether moving was right: an oracle that knows, afterwards, how long the home region stayed hurt.

    loss of staying = loss rate x time from the first sensible decision until the region was well again
    loss of moving  = loss rate x time that moving takes, at most that of staying

The rule that surprises: it judges with hindsight. Moving away from a region that is well again a minute later is a false failover,
however frightening it looked; what moving costs in lost writes and cold caches is not in it, other KPIs show that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from gameday.scores.affected import refs_of
from gameday.scores.kpis import format_value
from gameday.scores.readings import REQUEST_BIN_S, chosen, total
from gameday.topology import InstanceRef, LinkRef, NodeRef, QueueRef, ZoneRef

if TYPE_CHECKING:
    from gameday.scores.case import Case
    from gameday.scores.incidents import FaultSpan, Incident
    from gameday.timeline import Event

Outcome = Literal["right", "false", "missed", "late"]

LEAST_LOSS_RATIO: Final = 0.01
"""Share of lost requests from which a region is worth leaving: what the recovery time asks for, 99 % good, is missed."""
LATE_SHARE: Final = 0.5
"""A failover is late when it could save less than this share of what an immediate decision would have saved. Assumption."""
SEEN_WITHIN_S: Final = 120.0
"""How long after the end of a fault a promotion may still be a reaction to it: leases expire and elections take time. Assumption."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision to move or to stay, judged."""

    outcome: Outcome
    note: str
    event: Event | None = None
    home: str | None = None
    """The region that was to be left; None for a database."""

    @property
    def concerns_recovery(self) -> bool:
        """Whether clients were moved, or should have been."""
        return self.home is not None and (
            self.outcome == "missed" or (self.event is not None and self.event.kind == "failover.triggered")
        )


class NoEvidenceError(Exception):
    """The series that the oracle needs are missing; the text names them."""


def decisions(case: Case) -> Iterator[Decision]:
    """Every decision of a run. Raises NoEvidenceError."""
    judged: set[int] = set()
    for incident in case.incidents:
        judged |= {id(event) for event in case.of(incident, "failover.triggered") if _region(event) in possible_moves(case)}
        yield from decisions_in(case, incident)
    for event in case.events("failover.triggered").where(lambda event: event.t >= case.start_s):
        if event.subject.startswith("database/"):
            yield _promotion(case, event)
        elif id(event) not in judged:
            yield Decision("false", f"{event.subject} was left though nobody was hurt there", event)


def decisions_in(case: Case, incident: Incident) -> Iterator[Decision]:
    """To move or to stay, for every region that an incident hit or that was left during it. Raises NoEvidenceError.

    From a region that was left before, and not gone back to, there is nothing to decide.
    """
    for home, target in possible_moves(case).items():
        behind = [fault for fault in incident.faults if home in regions_hit(case, fault)]
        triggers = [event for event in case.of(incident, "failover.triggered") if _region(event) == home]
        if triggers or (behind and not _is_away(case, home, incident.t0_s)):
            helped_by_moving = [fault for fault in behind if target not in regions_hit(case, fault)]
            yield _judge(case, incident, home, helped_by_moving, triggers[0] if triggers else None)


def possible_moves(case: Case) -> dict[str, str]:
    """Home region to the one that takes over, as configured. Without a failover policy there is no decision to judge."""
    policy = case.scenario.policies.failover
    return dict(policy.pairs) if policy.mode != "none" else {}


def origins_of(case: Case, region: str) -> frozenset[str]:
    """Populations of clients at home in a region; without any in the scenario, all that the series know."""
    origins = case.scenario.system.traffic.origins
    if origins:
        return frozenset(name for name, origin in origins.items() if origin.region == region)
    return frozenset(one.labels.get("origin", "") for one in case.series.find("requests.offered"))


def regions_hit(case: Case, fault: FaultSpan) -> frozenset[str]:
    """Regions in which a fault takes something away. Providers, name resolution and dependencies have no region."""
    zones: set[str] = set()
    for ref in refs_of(case, fault):
        match ref:
            case ZoneRef(zone) | InstanceRef(zone=zone) | NodeRef(zone=zone):
                zones.add(zone)
            case LinkRef(source, target):
                zones |= {end for end in (source, target) if end in case.topology.zones}
            case QueueRef(region=region):
                zones |= set(case.topology.zones_of(region))
            case _:
                pass
    return frozenset(case.topology.region_of(zone) for zone in zones)


def first_decision_s(case: Case) -> float:
    """Seconds from hurt to the earliest decision that the policy's own probes allow."""
    policy = case.scenario.policies.failover
    return policy.trigger.failed * policy.probe_interval + policy.probe_timeout + policy.decide.mean


def move_s(case: Case) -> float:
    """Mean seconds from the decision until half of the clients are there: fence, promote, and half a time to live."""
    policy = case.scenario.policies.failover
    ttl_s = case.scenario.system.traffic.dns.ttl if policy.dns_ttl is None else policy.dns_ttl
    fence_s = policy.fence_time.mean if policy.fence else 0.0
    return fence_s + policy.promote.mean + (ttl_s / 2 if policy.move == "dns" else 0.0)


def _judge(case: Case, incident: Incident, home: str, faults: list[FaultSpan], trigger: Event | None) -> Decision:
    if not faults:
        words = f"nothing was broken in {home} that is not broken where it moves to"
        return Decision("right" if trigger is None else "false", words, trigger, home)
    began_s = incident.t0_s
    if trigger is None:
        well_s = case.end_s if incident.end_s is None else incident.end_s
    else:
        well_s = max(case.end_s if fault.end_s is None else fault.end_s for fault in faults)
    until_s = well_s if trigger is None else trigger.t
    lost_per_s, ratio = _loss(case, home, began_s, max(until_s, began_s + REQUEST_BIN_S))
    staying_s, moving_s = max(0.0, well_s - began_s - first_decision_s(case)), move_s(case)
    words = (
        f"staying in {home} would have lost {lost_per_s * staying_s:.0f} more requests, "
        f"moving {lost_per_s * min(moving_s, staying_s):.0f}"
    )
    if ratio < LEAST_LOSS_RATIO or staying_s <= moving_s:
        return Decision("right" if trigger is None else "false", words, trigger, home)
    if trigger is None:
        return Decision("missed", words, incident.impacts[0].started, home)
    if well_s - trigger.t - moving_s < LATE_SHARE * (staying_s - moving_s):
        late = format_value("failover.rto", trigger.t - began_s)
        return Decision("late", f"left {home} only {late} after impact", trigger, home)
    return Decision("right", words, trigger, home)


def _loss(case: Case, home: str, start_s: float, end_s: float) -> tuple[float, float]:
    """Lost requests per second and their share, for the clients at home in a region."""
    origins = origins_of(case, home)
    offered = chosen(case.series, "requests.offered", lambda labels: labels.get("origin") in origins)
    good = chosen(case.series, "requests.good", lambda labels: labels.get("origin") in origins)
    asked = total(offered, start_s, end_s, REQUEST_BIN_S)
    if not asked:
        raise NoEvidenceError(f"there is no series of requests offered by the clients of {home}")
    lost = max(0.0, asked - total(good, start_s, end_s, REQUEST_BIN_S))
    return lost / (end_s - start_s), lost / asked


def _is_away(case: Case, home: str, t: float) -> bool:
    """Whether a region had been left at `t` and not gone back to."""
    moves = case.events("failover.completed", "failback.completed", "failover.rolled_back")
    before = [event for event in moves if _region(event) == home and event.t <= t]
    return bool(before) and before[-1].kind == "failover.completed"


def _promotion(case: Case, event: Event) -> Decision:
    """A database's failover is right when something was broken at its nodes; the simulator may say so itself."""
    name = event.subject.removeprefix("database/").partition("@")[0]
    if event.data.get("correct") is False:
        return Decision("false", f"database {name} was failed over on a false observation", event)
    zones = {node.zone for node in case.topology.nodes_of(name)}
    for fault in case.faults:
        if not fault.active_in(event.t - SEEN_WITHIN_S, event.t):
            continue
        for ref in refs_of(case, fault):
            at_node = isinstance(ref, NodeRef) and ref.database == name
            if at_node or (isinstance(ref, LinkRef) and zones & {ref.source_zone, ref.target_zone}):
                return Decision("right", f"database {name} was failed over while its nodes were hit", event)
    if event.data.get("correct") is True:
        return Decision("right", f"database {name} was failed over on a true observation", event)
    return Decision("false", f"database {name} was failed over though nothing was broken at its nodes", event)


def _region(event: Event) -> str:
    kind, _, name = event.subject.partition("/")
    return name if kind == "region" else ""

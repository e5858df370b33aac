"""What a message says: the words for its slots and the claims in it, from what the team has seen and believes when it is written.

The rule that surprises: no slot looks at the truth. The cause is the one believed in, the end is the one seen on the graphs, and where
the dashboards are gone the shares are those of some tries by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from gameday.communication import render, template_for
from gameday.people import wall_time
from gameday.scenario.communication import Phase
from gameday.scenario.response import Action
from gameday.selectors import Selector
from sim.day import Day
from sim.people.actions import Plan
from sim.people.dashboards import Dashboards
from sim.people.incident import Incident

LONGEST_SILENCE_S = 7200.0
"""An audience that is promised no updates is still told a time by which it hears something. Assumption."""

CAUSES: Mapping[str, str] = {
    "agent_freeze": "a hanging cluster manager in {where}",
    "bad_release": "a faulty release of {where}",
    "capacity": "too little capacity of {where}",
    "clock_skew": "a wrong clock in {where}",
    "disk_full": "a full disk of {where}",
    "dns_outage": "a failure of name resolution",
    "errors": "errors in {where}",
    "freeze": "a hang of {where}",
    "kill": "a failure of {where}",
    "latency": "a slow network at {where}",
    "loss": "packet loss at {where}",
    "outage": "a failure of {where}",
    "partition": "a failed network link at {where}",
    "replication_stop": "a stop of replication in {where}",
    "slow": "slow answers of {where}",
}
"""Kinds of fault in the words of a message; others are called a fault."""

DOING: Mapping[Action | str, str] = {
    "failover": "moving traffic to another region",
    "promote": "promoting another copy of the database",
    "rollback": "rolling back the release",
    "restart": "restarting what failed",
    "scale_out": "adding capacity",
    "disable_feature": "disabling what depends on it",
    "shift_traffic": "moving traffic to another region",
    "wait": "waiting for it to pass, without a change of our own",
    "deciding": "deciding on a fix",
}
"""Mitigations as a part of a sentence."""
UNMENDED: frozenset[Phase] = frozenset({"investigating", "scoping", "identified"})
"""Phases in which a message is about what is hurt now."""
NOT_OURS = "a change that was not ours"


@dataclass(frozen=True, slots=True)
class Words:
    """A message as it was written."""

    text: str
    claims: dict[str, object]
    promised_s: float | None
    """Instant that it names for the next message; None where it names none."""


def write(day: Day, dashboards: Dashboards, incident: Incident, phase: Phase, every_s: float | None) -> Words:
    """The message of a phase to an audience that is promised a message `every_s`."""
    now, plan = day.world.env.now, day.world.scenario.communication
    view = dashboards.now()
    speaks_of_now = phase in UNMENDED and bool(view.lost)
    classes = sorted(view.lost if speaks_of_now else incident.hurt) or sorted(day.world.scenario.load.classes)
    regions = sorted((view.regions if speaks_of_now else ()) or incident.regions) or list(day.world.scenario.system.regions)
    silence_s = LONGEST_SILENCE_S if every_s is None else every_s
    promised = None if phase == "resolved" else now + silence_s
    lost_writes = sum(cluster.known_lost_writes() for cluster in day.world.clusters.values())
    began = incident.impact_seen_at if incident.impact_seen_at is not None else incident.opened
    over = incident.over_seen_at if incident.over_seen_at is not None else now
    slots = {
        "service": ", ".join(classes),
        "region": ", ".join(regions),
        "started": _clock(day, began),
        "impact": _impact(view.lost, known=view.known),
        "cause": cause_in_words(incident.plan),
        "action": _action(day, incident, phase),
        "next_update": _clock(day, promised if promised is not None else now + silence_s),
        "ended": _clock(day, over),
        "data_loss": f"{lost_writes} confirmed changes of data are missing and are being reconciled."
        if lost_writes
        else "We have found no loss of data.",
    }
    claims: dict[str, object] = {
        "components": classes,
        "regions": regions,
        "state": phase,
        "started_s": began,
        "data_loss": lost_writes > 0,
    }
    if phase == "investigating" and plan.scoping:
        # Nobody has found out yet who is affected, and where.
        slots |= {"region": "some of our regions", "impact": "some requests fail, we do not know how many yet"}
        del claims["regions"]
    return Words(render(template_for(phase, plan.templates), slots), claims, promised)


def cause_in_words(plan: Plan | None) -> str:
    """The cause that a plan is about; internal names of components are kept, hosts and people are not named."""
    if plan is None or (plan.fault is None and plan.action == "wait"):
        return "not known yet"
    if plan.fault is None:
        return "more load than we have capacity for"
    selector = Selector.parse(plan.target)
    where = {"group": "a group of machines", "dns": "name resolution", "link": "the link between regions"}.get(
        selector.kind, f"{selector.name} in {selector.at}" if selector.at else selector.name
    )
    return CAUSES.get(plan.fault.fault.name, "a fault of {where}").format(where=where)


def _impact(lost: Mapping[str, float], *, known: bool) -> str:
    if lost:
        return f"about {max(1, round(100 * max(lost.values())))}% of requests fail"
    return "most requests are answered again" if known else "some requests fail, we do not know how many yet"


def _action(day: Day, incident: Incident, phase: Phase) -> str:
    """What was decided by the team; before that what a machine has done by itself."""
    if incident.decided is not None:
        return DOING[incident.decided]
    machines = [
        event
        for event in day.world.recorder.timeline.of("decision.made", "failover.triggered")
        if event.t >= incident.opened - 1800.0 and event.data.get("by") not in day.world.scenario.response.people
    ]
    if machines:
        return DOING["failover"] if machines[-1].kind == "failover.triggered" else DOING[machines[-1].text("decision")]
    return DOING["deciding"] if phase in UNMENDED else NOT_OURS


def _clock(day: Day, t: float) -> str:
    rounded = wall_time(day.world.scenario.starts, t) + timedelta(seconds=30)
    return rounded.strftime("%H:%M UTC")

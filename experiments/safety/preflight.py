"""Preflight: everything that has to be true before the first fault, looked at without breaking anything. It fails closed.

The rule that surprises: what cannot be checked has failed. `--dry-run` is the preflight and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from experiments.adapters.alertmanager import Alertmanager
from experiments.adapters.dns_control import DnsControl
from experiments.adapters.prometheus import Prometheus
from experiments.adapters.supervisor import Supervisor
from experiments.adapters.toxiproxy import Toxiproxy
from experiments.inventory import Inventory
from experiments.observe.degradation import cannot_switch
from experiments.observe.evaluators import Wish, choose
from experiments.observe.region_failover import cannot_play
from experiments.public_record import moves_names
from experiments.rollbacks import RollbackPlan
from experiments.safety.facts import facts
from experiments.safety.lever import Lever
from experiments.safety.steady import steadiness
from experiments.system import NO_LOSS, live_system
from gameday.errors import GamedayError
from gameday.faults import make
from gameday.ports import LacksCapability, capabilities_of
from gameday.resources import InstanceRef, NodeRef
from gameday.selectors import Selector


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    passed: bool
    words: str


def preflight(
    inventory: Inventory, plan: RollbackPlan | None, lever: Lever, alerts: Wish = "auto", *, hands_on: bool = False
) -> list[Check]:
    """Every check, also after one has failed; `plan` None = it is not written in a dry run. `alerts`: who shall evaluate the rules.
    `hands_on`: people take part, and can be asked for their word."""
    checks: list[Callable[[], Iterator[tuple[str, str]]]] = [
        lambda: _lever(lever),
        lambda: _load(inventory),
        lambda: _sources(inventory),
        lambda: _alerting(inventory, alerts),
        lambda: _failover(inventory, hands_on=hands_on),
        lambda: _targets(inventory),
        lambda: _blast(inventory),
        lambda: _degradation(inventory),
        lambda: facts(inventory),
        lambda: steadiness(inventory),
    ]
    found: list[Check] = []
    for ask in checks:
        try:
            for name, problem in ask():
                found.append(Check(name, not problem.startswith("!"), problem.removeprefix("!")))
        except GamedayError as error:
            found.append(Check("it can be looked at", False, str(error)))
    if plan is not None:
        found.append(_plan(plan))
    return found


def _lever(lever: Lever) -> Iterator[tuple[str, str]]:
    engaged = lever.engaged()
    yield "the safety lever is free", f"!{engaged}; then: gameday rearm --why ..." if engaged else "free"


def _load(inventory: Inventory) -> Iterator[tuple[str, str]]:
    target, classes = inventory.target, inventory.scenario.load.classes
    for name in classes:
        yield (
            f"class {name} has a route",
            "yes" if name in target.routes else f"!the target has a route for {', '.join(target.routes)} only",
        )
    regions = {origin.region for origin in inventory.scenario.system.traffic.origins.values()}
    missing = sorted(regions - set(target.entries))
    yield (
        "every origin has an entry",
        f"!the target has no entry in {', '.join(missing)}" if missing else ", ".join(sorted(regions)),
    )


def _sources(inventory: Inventory) -> Iterator[tuple[str, str]]:
    """What the guards and observers ask, and what the faults need, answers."""
    target = inventory.target
    if target.supervisor is not None:
        count = len(Supervisor(target.supervisor, target.token()).processes())
        yield "the supervisor answers", f"{count} processes"
    relays = [link.toxiproxy for link in target.links.values()] + [
        one.toxiproxy for one in target.providers.values() if one.toxiproxy
    ]
    for api in sorted({relay.api for relay in relays}):
        yield f"the relay at {api} answers", f"{len(Toxiproxy(api).proxies())} proxies"
    if target.prometheus is not None:
        yield "Prometheus answers", "yes" if Prometheus(target.prometheus).ready() else "!no"
    if target.alertmanager is not None:
        yield "Alertmanager answers", "yes" if Alertmanager(target.alertmanager).ready() else "!no"


def _alerting(inventory: Inventory, alerts: Wish) -> Iterator[tuple[str, str]]:
    if inventory.scenario.monitoring.every_rule:
        yield "somebody evaluates the alert rules", choose(inventory.scenario, inventory.target, alerts).words


def _failover(inventory: Inventory, *, hands_on: bool) -> Iterator[tuple[str, str]]:
    """What moves the traffic of a region is there, and can do what the policy asks for."""
    policy, target = inventory.scenario.policies.failover, inventory.target
    if policy.mode == "none" or not policy.pairs:
        return
    name = "a region's traffic can be moved"
    wrong = cannot_play(inventory.scenario, target, hands_on=hands_on)
    if wrong:
        yield name, f"!policies.failover has what a live day cannot play: {', '.join(wrong)}"
    elif not moves_names(inventory.scenario, target):
        yield name, "!the target names no public name with DNS control"
    elif missing := sorted({*policy.pairs, *policy.pairs.values()} - set(target.entries)):
        yield name, f"!the target has no entry in {', '.join(missing)}"
    else:
        assert target.dns is not None, "it moves names"
        assert target.public is not None, "it moves names"
        known = DnsControl(target.dns.control).records()
        there = target.public.name in known
        yield name, f"{target.public.name} can be pointed elsewhere" if there else f"!there is no record of {target.public.name}"


def _degradation(inventory: Inventory) -> Iterator[tuple[str, str]]:
    """Optional calls that a policy switches off can be switched."""
    if inventory.scenario.policies.degradation:
        missing = cannot_switch(inventory.scenario, inventory.target)
        words = f"!the target does not say {'; '.join(missing)}" if missing else "yes"
        yield "optional calls can be switched off", words


def _targets(inventory: Inventory) -> Iterator[tuple[str, str]]:
    """Every fault finds its target, and the target has hands for it."""
    has = capabilities_of(live_system(inventory))
    for index, planned in enumerate(inventory.scenario.schedule.faults):
        name = f"fault {index}: {planned.fault} {planned.target}"
        fault = make(planned.fault, planned.parameters)
        try:
            pinned = inventory.pin(Selector.parse(planned.target))
            if planned.live is None:
                lacking = [port.__name__ for port in fault.needs(pinned) if port not in has]
                lacking += [NO_LOSS] * (planned.fault == "loss")
                if lacking:
                    raise LacksCapability(f"the target {inventory.target.name}", lacking[0], planned.fault)
                words = _what(inventory, fault.name, pinned)
            else:
                words = f"by {planned.live.provider.get('module') or planned.live.provider.get('type')}"
            yield name, f"{pinned}: {words}"
        except GamedayError as error:
            yield name, f"!{error}"


def _what(inventory: Inventory, fault: str, pinned: Selector) -> str:
    """What would be touched."""
    if fault in {"kill", "freeze", "agent_freeze"}:
        known = Supervisor(inventory.target.supervisor or "", inventory.target.token()).processes()
        wanted = inventory.agents(pinned) if fault == "agent_freeze" else inventory.processes(pinned)
        unknown = [each for each in wanted if each not in known]
        if unknown:
            raise GamedayError(f"the supervisor knows no process {', '.join(unknown)}")
        return ", ".join(wanted)
    if fault in {"latency", "partition", "outage"} or (fault == "slow" and pinned.kind == "provider"):
        relays = inventory.relays(pinned)
        for api, proxy in relays:
            if proxy not in Toxiproxy(api).proxies():
                raise GamedayError(f"the relay at {api} has no proxy {proxy}")
        return ", ".join(f"{proxy} at {api}" for api, proxy in relays)
    if fault == "slow":
        known = Supervisor(inventory.target.supervisor or "", inventory.target.token()).processes()
        wanted = inventory.throttled(pinned)
        if deaf := [each for each in wanted if "share" not in known.get(each, {})]:
            raise GamedayError(f"the supervisor says of {', '.join(deaf)} no share of the processor, so it can give it none")
        return ", ".join(wanted)
    if fault == "capacity":
        return ", ".join(url for url, _ in inventory.bounded(pinned))
    if fault == "replication_stop":
        return ", ".join(node.name for node in inventory.nodes(pinned))
    return "ready"


def _blast(inventory: Inventory) -> Iterator[tuple[str, str]]:
    """The limits of the target file."""
    limits, faults = inventory.target.limits, inventory.scenario.schedule.faults
    spans = [(each.at, inventory.scenario.duration if each.lasts is None else each.at + each.lasts) for each in faults]
    most = max((sum(start <= at < end for start, end in spans) for at, _ in spans), default=0)
    yield "not too many faults at once", f"{'!' if most > limits.concurrent else ''}{most} of at most {limits.concurrent}"
    longest = max((end - start for start, end in spans), default=0.0)
    yield "no fault is too long", f"{'!' if longest > limits.longest else ''}{longest:g} s of at most {limits.longest:g} s"
    for name, share in _shares(inventory):
        yield (
            f"not too much of {name} is hit",
            f"{'!' if share > limits.service_share + 1e-9 else ''}{share:.0%} of at most {limits.service_share:.0%}",
        )


def _shares(inventory: Inventory) -> Iterator[tuple[str, float]]:
    """Share of each service's instances and each database's nodes that faults which stop processes, or nearly, hit together."""
    topology, hit = inventory.topology, set[InstanceRef | NodeRef]()
    for planned in inventory.scenario.schedule.faults:
        if planned.fault in {"kill", "freeze", "slow"}:
            hit |= {ref for ref in inventory.refs(Selector.parse(planned.target)) if isinstance(ref, InstanceRef | NodeRef)}
    for service in sorted({ref.service for ref in hit if isinstance(ref, InstanceRef)}):
        all_of_it = topology.instances_of(service)
        yield f"service/{service}", sum(ref in hit for ref in all_of_it) / len(all_of_it)
    for database in sorted({ref.database for ref in hit if isinstance(ref, NodeRef)}):
        nodes = topology.nodes_of(database)
        yield f"database/{database}", sum(ref in hit for ref in nodes) / len(nodes)


def _plan(plan: RollbackPlan) -> Check:
    name = "the rollback plan is on disk"
    try:
        plan.write()
        again = RollbackPlan.read(plan.path)
    except GamedayError as error:
        return Check(name, False, str(error))
    return Check(name, again.faults == plan.faults, str(plan.path))

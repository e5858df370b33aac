"""The record of the public name on a live day: given the scenario's time to live, moved by failover, and put back whatever happens.

The rule that surprises: all names of a region are moved by what is left out of the answer; a region's own address is never changed.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from experiments.adapters.dns_control import DnsControl
from experiments.put_back import keep
from gameday.errors import GamedayError
from gameday.scenario.model import Scenario
from gameday.target import Target


def ttl_of(scenario: Scenario) -> float:
    """Time to live of the public record on the day."""
    override = scenario.policies.failover.dns_ttl
    return scenario.system.traffic.dns.ttl if override is None else override


def moves_names(scenario: Scenario, target: Target) -> bool:
    """Whether regions of this day fail over by the target's public name."""
    policy = scenario.policies.failover
    return policy.mode != "none" and bool(policy.pairs) and target.dns is not None and target.public is not None


def prepare(scenario: Scenario, target: Target, live: Path) -> None:
    """Keep the record, then give it the scenario's time to live. GamedayError when the server has no such record."""
    assert target.dns is not None, "asked for a target that moves names"
    assert target.public is not None, "asked for a target that moves names"
    name, control = target.public.name, DnsControl(target.dns.control)
    before = control.records().get(name)
    if before is None:
        raise GamedayError(f"the DNS server at {target.dns.control} has no record of {name}")
    keep(live, f"the record of {name}", "PUT", control.address(name), before)
    control.point(name, {**before, "ttl": round(ttl_of(scenario))})


def point(target: Target, regions: list[str], ttl_s: float) -> None:
    """Let the public name answer with the entries of these regions."""
    assert target.dns is not None, "asked for a target that moves names"
    assert target.public is not None, "asked for a target that moves names"
    addresses = {region: urlsplit(target.entries[region]).hostname for region in regions}
    DnsControl(target.dns.control).point(target.public.name, {"addresses": addresses, "ttl": round(ttl_s)})

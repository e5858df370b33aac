"""The record of the public name on a live day: given the scenario's time to live, moved by failover, and put back whatever happens.

The rule that surprises: what it was before lies in the run folder before it is changed, so that the guardian and `gameday heal` can put it
back; after that the file is gone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from experiments.adapters.dns_control import DnsControl
from experiments.calls import CallError
from gameday.atomic_files import write_atomically
from gameday.errors import GamedayError
from gameday.scenario.model import Scenario
from gameday.target import Target

FILE: Final = "dns-record.json"


def ttl_of(scenario: Scenario) -> float:
    """Time to live of the public record on the day."""
    override = scenario.policies.failover.dns_ttl
    return scenario.system.traffic.dns.ttl if override is None else override


def moves_names(scenario: Scenario, target: Target) -> bool:
    """Whether regions of this day fail over by the target's public name."""
    policy = scenario.policies.failover
    return policy.mode == "automatic" and bool(policy.pairs) and target.dns is not None and target.public is not None


def prepare(scenario: Scenario, target: Target, live: Path) -> None:
    """Keep the record, then give it the scenario's time to live. GamedayError when the server has no such record."""
    assert target.dns is not None, "asked for a target that moves names"
    assert target.public is not None, "asked for a target that moves names"
    name, control = target.public.name, DnsControl(target.dns.control)
    before = control.records().get(name)
    if before is None:
        raise GamedayError(f"the DNS server at {target.dns.control} has no record of {name}")
    kept = {"control": target.dns.control, "name": name, "record": before}
    write_atomically(live / FILE, json.dumps(kept).encode())
    control.point(name, {**before, "ttl": round(ttl_of(scenario))})


def point(target: Target, regions: list[str], ttl_s: float) -> None:
    """Let the public name answer with the entries of these regions."""
    assert target.dns is not None, "asked for a target that moves names"
    assert target.public is not None, "asked for a target that moves names"
    addresses = {region: urlsplit(target.entries[region]).hostname for region in regions}
    DnsControl(target.dns.control).point(target.public.name, {"addresses": addresses, "ttl": round(ttl_s)})


def restore(live: Path) -> list[str]:
    """Put the record back if it was kept; what failed."""
    file = live / FILE
    if not file.exists():
        return []
    kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    try:
        DnsControl(str(kept["control"])).point(str(kept["name"]), kept["record"])
    except CallError as error:
        return [f"the record of {kept['name']}: {error}"]
    file.unlink(missing_ok=True)
    return []

"""Whether the system is steady: users are served well in every region they come from, and every database has one primary."""

from __future__ import annotations

from collections.abc import Iterator

from experiments.adapters.patroni import primaries
from experiments.inventory import Inventory
from experiments.routes import send
from experiments.safety.guards import wait_for

REQUESTS = 10


def steadiness(inventory: Inventory) -> Iterator[tuple[str, str]]:
    """What was looked at, and what was seen; the latter begins with `!` where it is not steady."""
    target, origins = inventory.target, inventory.scenario.system.traffic.origins
    for name, each in inventory.scenario.load.classes.items():
        for region in sorted({origin.region for origin in origins.values()} & set(target.entries)):
            if name in target.routes:
                good = sum(send(target, name, region, each.timeout).good(each.deadline) for _ in range(REQUESTS))
                enough = good >= each.indicator.good * REQUESTS
                yield f"{name} is served well in {region}", f"{'' if enough else '!'}{good} of {REQUESTS}"
    for name, database in target.databases.items():
        if name in inventory.scenario.system.databases:
            found = [node.name for node in primaries(database)]
            yield (
                f"database/{name} has one primary",
                found[0] if len(found) == 1 else f"!{len(found)}: {', '.join(found) or 'none'}",
            )


def unsteady(inventory: Inventory, within_s: float) -> list[str]:
    """What is still not steady after so much time; empty when everything is."""
    left: list[str] = []

    def is_steady() -> bool:
        left[:] = [f"{name}: {seen[1:]}" for name, seen in steadiness(inventory) if seen.startswith("!")]
        return not left

    wait_for(is_steady, within_s, every_s=1.0)
    return left

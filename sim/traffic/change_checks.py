"""What is wrong with a change, for every engine alike: all of it at once, before anything is touched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

from sim.traffic.changes import AddInstance, Change, DropWrites, SetEdge, SetInstance
from sim.traffic.plan import CLIENT, Plan


def check_change(change: Change, plan: Plan, instances: Callable[[int], int]) -> None:
    """Raise ValueError if a change refers to what does not exist or holds a value without meaning.

    `instances(station)` is how many instances a station has now.
    """
    problems = _value_problems(change, plan) or _misplaced(change, plan, instances)
    if problems:
        raise ValueError(f"{type(change).__name__}: " + "; ".join(problems))


def check_trace(flow: int, every: int, plan: Plan) -> None:
    """Raise ValueError if a flow to trace does not exist or the number of requests between two traced ones means nothing."""
    if not 0 <= flow < len(plan.flows):
        raise ValueError(f"trace(flow={flow}): there are {len(plan.flows)} flows")
    if every < 0:
        raise ValueError(f"trace(every={every}): every so manyth request, 0 for none")


def _value_problems(change: Change, plan: Plan) -> list[str]:
    """Values that are wrong by themselves."""
    sizes = {
        "station": len(plan.stations),
        "edge": len(plan.edges),
        "flow": len(plan.flows),
        "source": len(plan.zones),
        "target": len(plan.zones),
        "request_class": len(plan.classes),
    }
    problems = []
    for field in fields(change):
        value = getattr(change, field.name)
        if field.name in sizes and not 0 <= value < sizes[field.name]:
            problems.append(f"{field.name}={value}, but there are {sizes[field.name]}")
        elif field.name.endswith("_ratio") and value is not None and not 0.0 <= value <= 1.0:
            problems.append(f"{field.name}={value} is not in [0, 1]")
        elif isinstance(value, int | float) and value < 0:
            problems.append(f"{field.name}={value} is negative")
    return problems


def _misplaced(change: Change, plan: Plan, instances: Callable[[int], int]) -> list[str]:
    """What is wrong with a change although each number by itself is not."""
    problems: list[str] = []
    match change:
        case SetInstance(station=station, instance=instance) if instance >= instances(station):
            problems.append(f"instance={instance}, but the station has {instances(station)}")
        case SetEdge(edge=edge, enabled=False) if plan.edges[edge].caller == CLIENT:
            problems.append(f"edge={edge} is an entry: it cannot be skipped")
        case SetEdge(options=options) if options:
            problems += [f"options: no station {number}" for number, _ in options if not 0 <= number < len(plan.stations)]
        case AddInstance(instance=instance) if not 0 <= instance.zone < len(plan.zones):
            problems.append(f"zone={instance.zone}, but there are {len(plan.zones)}")
        case AddInstance(instance=instance) if instance.slots < 0 or instance.queue_limit < 0:
            problems.append(f"slots={instance.slots} and queue_limit={instance.queue_limit} must not be negative")
        case DropWrites(station=station) if not plan.stations[station].keeps_writes:
            problems.append(f"station={station} keeps no writes")
        case _:
            pass
    return problems

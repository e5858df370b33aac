"""A description as plain text, no wider than the columns there are; long cells at the end of a table go on below themselves."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from gameday.describe.facts import CallFacts, DemandFacts, Description, ScheduleFacts, ServiceFacts
from gameday.units import format_duration

WIDTH = 120
LEAST_LAST_COLUMN = 24
"""Columns below which the last cell of a row is not wrapped in its place."""


def as_text(description: Description, width: int = WIDTH) -> str:
    """The description for people, `width` columns wide; ends without a line break."""
    return "\n".join(line.rstrip() for line in _lines(description, width)).rstrip()


def _lines(d: Description, width: int) -> Iterator[str]:
    section = partial(_section, width)
    lasts, warmup = format_duration(d.duration_s), format_duration(d.warmup_s)
    for text in (f"{d.name}: {d.title}", f"starts {d.starts}, lasts {lasts}, judged from {warmup}", d.teaches):
        yield from textwrap.wrap(text, width, break_on_hyphens=False)
    yield from section("Warnings", d.warnings)
    yield from section("Places", [f"{region}: {', '.join(zones)}" for region, zones in d.regions.items()])
    yield from section("Requests", d.classes)
    yield from section("Services, by their distance from the clients", _services(d.services))
    yield from section(
        "Databases",
        [
            f"{each.name}: primary {each.primary}, replicas {', '.join(each.replicas) or 'none'}, {each.replication}, "
            f"promotion {each.promotion}, owner {each.owner or 'nobody'}"
            for each in d.databases
        ],
    )
    yield from section("Queues", d.queues)
    yield from section("Providers", d.providers)
    yield from section(
        "Capacity and load before anything breaks (estimates from means, without queues, retries and failures)",
        _demand(d.demand, width - 2),
        table=True,
    )
    yield from section("Schedule", _schedule(d.schedule, width - 2), table=True)
    yield from section(
        "Static blast radius (before any failover)",
        [line for each in d.blast_radius for line in (each.fault, *(f"  {line}" for line in each.lines))],
    )
    yield from section("Monitoring: what would notice the loss of a place or a component", d.coverage)
    yield from section("People", d.people)
    yield from section("Escalations", d.escalations)
    yield from section("Objectives", d.objectives)


def _section(width: int, title: str, lines: Iterable[str], *, table: bool = False) -> Iterator[str]:
    """A titled, indented block; nothing when there is nothing to say."""
    found = list(lines)
    if found:
        yield ""
        yield from textwrap.wrap(title, width)
        if table:
            yield from (f"  {line}" for line in found)
            return
        for line in found:
            indent = "  " + " " * (len(line) - len(line.lstrip()))
            deeper = indent + "    "
            yield from textwrap.wrap(
                line.lstrip(), width, initial_indent=indent, subsequent_indent=deeper, break_on_hyphens=False
            ) or [""]


def _services(services: Sequence[ServiceFacts]) -> Iterator[str]:
    for service in services:
        layer = "-" if service.layer == 0 else str(service.layer)
        places = ", ".join(f"{region} {'+'.join(map(str, counts))}" for region, counts in service.instances.items())
        owner = f"owner {service.owner or 'nobody'}"
        runbook = "" if service.runbook else ", no runbook"
        yield f"{layer} {service.name}: tier {service.tier}, {owner}{runbook}; {places} x {service.slots} slots"
        for call in service.calls:
            yield f"    -> {call.to}{_call(call)}"


def _call(call: CallFacts) -> str:
    parts = [] if call.operation == "call" else [call.operation]
    parts += [] if call.required else ["optional"]
    parts += ["not waited for"] if call.mode == "async" else []
    parts += [] if call.calls == 1.0 else [f"{call.calls:g} a request"]
    parts += [] if call.classes is None else [f"for {', '.join(call.classes)}"]
    attempts = "" if call.attempts == 1 else f"{call.attempts} x "
    parts += [] if call.timeout_s is None else [f"timeout {attempts}{format_duration(call.timeout_s)}"]
    parts += [] if call.retry_budget_ratio is None else [f"retry budget {call.retry_budget_ratio:.0%}"]
    parts += ["breaker"] if call.breaker else []
    parts += [f"else {call.fallback}"] if call.fallback is not None else []
    return f" ({', '.join(parts)})" if parts else ""


def _demand(demand: Sequence[DemandFacts], width: int) -> list[str]:
    rows = [("place", "slots", "capacity", "peak load", "at", "slots in use")]
    for each in demand:
        capacity = "-" if each.capacity_per_s_estimate is None else f"~{each.capacity_per_s_estimate:.4g}/s"
        busy = f"~{each.peak_utilisation_estimate:.1%}"
        at = format_duration(round(each.peak_at_s))
        rows.append((each.place, str(each.slots), capacity, f"~{each.peak_per_s_estimate:.4g}/s", at, busy))
    return _table(rows, width) if len(rows) > 1 else []


def _schedule(schedule: Sequence[ScheduleFacts], width: int) -> list[str]:
    rows = [("at", "until", "what", "target", "mended early by", "details")]
    for line in schedule:
        at = "any time" if line.at_s is None else format_duration(line.at_s)
        until = "" if line.at_s is None else "mended or the end" if line.until_s is None else format_duration(line.until_s)
        rows.append((at, until, line.what, line.target, line.mended_by or "", line.details))
    return _table(rows, width) if len(rows) > 1 else []


def _table(rows: Sequence[tuple[str, ...]], width: int) -> list[str]:
    """Aligned columns; what does not fit into the last goes on below it, or below the row where too little is left for that."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    before = sum(each + 2 for each in widths[:-1])
    indent = " " * (before if width - before >= LEAST_LAST_COLUMN else 4)
    lines = ("  ".join(cell.ljust(each) for cell, each in zip(row, widths, strict=True)).rstrip() for row in rows)
    return [part for line in lines for part in _folded(line, width, indent)]


def _folded(line: str, width: int, indent: str) -> list[str]:
    if len(line) <= width:
        return [line]
    cut = line.rfind(" ", 0, width + 1)
    head, tail = (line[:cut], line[cut:]) if cut > len(indent) else (line[:width], line[width:])
    return [head.rstrip(), *textwrap.wrap(tail, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)]

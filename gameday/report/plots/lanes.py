"""What the timeline says, sorted into swim lanes: faults, users, alerts, people, decisions, messages, automation.

The rule that surprises: what had not ended when the run ended is drawn to the edge and marked as open; it is never given an end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gameday.report.plots import style
from gameday.report.plots.placing import Item
from gameday.report.words import percent, shortened
from gameday.timeline import Event

LONGEST_LABEL: Final = 46
"""Characters of a label in the picture; the table under it has the whole text."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One swim lane."""

    name: str
    items: tuple[Item, ...]


def lanes(events: Sequence[Event], end_s: float) -> list[Lane]:
    """All lanes in which something happened, in the order in which an incident meets them."""
    makers: tuple[tuple[str, Callable[[Sequence[Event], float], list[Item]]], ...] = (
        ("Faults", _faults),
        ("Users hurt", _impact),
        ("Alerts", _alerts),
        ("People", _people),
        ("Decisions and\nactions", _decisions),
        ("Messages", _messages),
        ("Automation\nand system", _system),
    )
    found = [Lane(name, tuple(make(events, end_s))) for name, make in makers]
    return [lane for lane in found if lane.items]


def text_of(event: Event, key: str) -> str:
    """The text at a key of an event's data, empty where there is none."""
    value = event.data.get(key)
    return "" if value is None else str(value)


def spans(
    events: Iterable[Event], starts: str, ends: Sequence[str], key: Callable[[Event], object]
) -> list[tuple[Event, Event | None]]:
    """Each start with the first end of the same key after it; None where it did not end."""
    pairs: list[tuple[Event, Event | None]] = []
    running: dict[object, list[int]] = {}
    for event in events:
        if event.kind == starts:
            running.setdefault(key(event), []).append(len(pairs))
            pairs.append((event, None))
        elif event.kind in ends and running.get(key(event)):
            position = running[key(event)].pop(0)
            pairs[position] = (pairs[position][0], event)
    return pairs


def _span(pair: tuple[Event, Event | None], end_s: float, label: str, colour: str) -> Item:
    start, end = pair
    until = end.t if end is not None else end_s
    return Item(start.t, max(until, start.t), shortened(label, LONGEST_LABEL), colour, open_ended=end is None)


def _instant(event: Event, label: str, colour: str, marker: str = "o") -> Item:
    """A diamond is a landmark of the incident."""
    return Item(event.t, None, shortened(label, LONGEST_LABEL), colour, marker, landmark=marker == "D")


def _faults(events: Sequence[Event], end_s: float) -> list[Item]:
    injected = spans(events, "fault.injected", ("fault.healed",), lambda e: (text_of(e, "index"), text_of(e, "selector")))
    items = [
        _span(pair, end_s, f"{text_of(pair[0], 'fault')} {text_of(pair[0], 'selector')}", style.VERMILLION) for pair in injected
    ]
    work = spans(events, "maintenance.started", ("maintenance.ended",), lambda e: e.subject)
    items += [_span(pair, end_s, f"planned: {text_of(pair[0], 'what')}", style.SKY) for pair in work]
    for event in events:
        if event.kind == "fault.failed":
            items.append(_instant(event, f"could not: {text_of(event, 'fault')} {text_of(event, 'selector')}", style.BLACK, "X"))
    return items


def _impact(events: Sequence[Event], end_s: float) -> list[Item]:
    items = []
    for start, end in spans(events, "impact.started", ("impact.ended",), lambda e: e.subject):
        label = start.subject.removeprefix("class/")
        worst = end.data.get("worst_good_ratio") if end is not None else None
        if isinstance(worst, int | float) and not isinstance(worst, bool):
            label += f": at worst {percent(float(worst))} good"
        items.append(_span((start, end), end_s, label, style.ORANGE))
    return items


def _alerts(events: Sequence[Event], end_s: float) -> list[Item]:
    fired = spans(events, "alert.firing", ("alert.resolved",), lambda e: (text_of(e, "rule"), e.subject))
    items = [_span(pair, end_s, text_of(pair[0], "rule"), style.PURPLE) for pair in fired]
    for event in events:
        if event.kind == "alert.notified":
            items.append(_instant(event, f"to {text_of(event, 'receiver')}", style.BLACK, ">"))
        elif event.kind == "alert.suppressed":
            items.append(_instant(event, f"{text_of(event, 'rule')}: {text_of(event, 'why')}", style.GREY, "X"))
    return items


def _people(events: Sequence[Event], end_s: float) -> list[Item]:
    def page(event: Event) -> object:
        return text_of(event, "page"), text_of(event, "person")

    items = []
    for start, end in spans(events, "page.sent", ("page.acknowledged", "page.missed"), page):
        missed = end is not None and end.kind == "page.missed"
        label = f"page {text_of(start, 'person')}" + (": missed" if missed else "")
        items.append(_span((start, end), end_s, label, style.GREY if missed else style.BLUE))
    tested = spans(events, "diagnosis.started", ("diagnosis.concluded",), lambda e: text_of(e, "person"))
    for start, end in tested:
        wrong = end is not None and end.data.get("correct") is False
        label = f"{text_of(start, 'person')} diagnoses" + (", wrong cause" if wrong else "")
        items.append(_span((start, end), end_s, label, style.GREY if wrong else style.SKY))
    words: dict[str, Callable[[Event], str]] = {
        "page.escalated": lambda e: f"escalated to level {text_of(e, 'to_level')}",
        "responder.engaged": lambda e: f"{text_of(e, 'person')} at the desk",
        "incident.declared": lambda e: f"incident declared, {text_of(e, 'severity')}",
        "incident.severity": lambda e: f"now {text_of(e, 'severity')}",
        "incident.role": lambda e: f"{text_of(e, 'person')}: {text_of(e, 'role').replace('_', ' ')}",
        "incident.resolved": lambda _: "incident resolved",
    }
    bold = {"incident.declared", "incident.resolved"}
    for event in events:
        if event.kind in words:
            colour, marker = (style.BLACK, "D") if event.kind in bold else (style.BLUE, "o")
            items.append(_instant(event, words[event.kind](event), colour, marker))
    return items


def _decisions(events: Sequence[Event], end_s: float) -> list[Item]:
    begun = spans(
        events, "action.started", ("action.succeeded", "action.failed"), lambda e: (text_of(e, "action"), text_of(e, "target"))
    )
    items = []
    for start, end in begun:
        failed = end is not None and end.kind == "action.failed"
        label = f"{text_of(start, 'action').replace('_', ' ')} {text_of(start, 'target')}" + (" failed" if failed else "")
        items.append(_span((start, end), end_s, label, style.VERMILLION if failed else style.GREEN))
    marks = {"proposed": "o", "approved": "^", "rejected": "X", "made": "D"}
    for event in events:
        family, _, state = event.kind.partition(".")
        if family == "decision":
            items.append(_instant(event, f"{state}: {text_of(event, 'decision')}", style.GREEN, marks.get(state, "o")))
    return items


def _messages(events: Sequence[Event], end_s: float) -> list[Item]:
    items = _questions(events, end_s)
    for event in events:
        if event.kind == "message.published":
            items.append(_instant(event, f"{text_of(event, 'audience')}: {text_of(event, 'phase')}", style.BLUE, "s"))
        elif event.kind in {"clock.met", "clock.late"}:
            late = event.kind == "clock.late"
            label = f"{text_of(event, 'clock')} {'late' if late else 'met'}"
            items.append(_instant(event, label, style.VERMILLION if late else style.GREEN, "X" if late else "P"))
    return items


QUESTIONS_APART = 20
"""Questions closer than a twentieth of the day belong together."""


def _questions(events: Sequence[Event], end_s: float) -> list[Item]:
    """Questions from one side that follow each other closely are one item: how many matters more than each."""
    runs: dict[str, list[list[Event]]] = {}
    for event in events:
        if event.kind == "inquiry.received":
            of_one = runs.setdefault(text_of(event, "from"), [])
            if of_one and event.t - of_one[-1][-1].t < end_s / QUESTIONS_APART:
                of_one[-1].append(event)
            else:
                of_one.append([event])
    items = []
    for who, series in runs.items():
        for asked in series:
            if len(asked) == 1:
                items.append(_instant(asked[0], f"{who} ask", style.ORANGE, "v"))
            else:
                items.append(_span((asked[0], asked[-1]), end_s, f"{who} ask {len(asked)} times", style.ORANGE))
    return items


def _system(events: Sequence[Event], end_s: float) -> list[Item]:
    ends = ("failover.completed", "failover.failed", "failover.rolled_back")
    items = []
    for start, end in spans(events, "failover.triggered", ends, lambda e: e.subject):
        outcome = "" if end is None else {"failed": " failed", "rolled_back": " rolled back"}.get(end.kind.partition(".")[2], "")
        items.append(
            _span((start, end), end_s, f"failover {start.subject}{outcome}", style.VERMILLION if outcome else style.GREEN)
        )
    ranges: tuple[tuple[str, str, str, Callable[[Event], str], str], ...] = (
        ("shedding.started", "shedding.ended", "shedding", lambda e: e.subject, style.ORANGE),
        ("breaker.opened", "breaker.closed", "breaker open", lambda e: text_of(e, "edge"), style.PURPLE),
        ("panic.started", "panic.ended", "panic: all chosen at", lambda e: e.subject, style.VERMILLION),
        ("degradation.started", "degradation.ended", "without", lambda e: text_of(e, "feature"), style.SKY),
        ("scaling.requested", "scaling.ready", "scaling", lambda e: f"{text_of(e, 'service')}@{text_of(e, 'region')}", style.SKY),
    )
    grown = [event for event in events if not _is_smaller(event)]
    for starts, stops, verb, subject, colour in ranges:
        for pair in spans(grown, starts, (stops,), subject):
            name = subject(pair[0]).replace("service/", "")
            items.append(_span(pair, end_s, f"{verb} {name}", colour))
    items += _ejections(events, end_s)
    words: dict[str, Callable[[Event], str]] = {
        "failover.promoted": lambda e: f"{e.subject.removeprefix('database/')} primary: {text_of(e, 'to')}",
        "failback.requested": lambda e: f"failback asked: {e.subject}",
        "failback.approved": lambda e: f"failback approved: {e.subject}",
        "failback.completed": lambda e: f"failback done: {e.subject}",
        "dns.changed": lambda e: f"{text_of(e, 'record')} to {text_of(e, 'to')}",
    }
    items += [_instant(event, words[event.kind](event), style.GREEN, "D") for event in events if event.kind in words]
    for event in events:
        if _is_smaller(event):
            items.append(_instant(event, f"smaller {text_of(event, 'service')}@{text_of(event, 'region')}", style.SKY, "v"))
    return items


def _ejections(events: Sequence[Event], end_s: float) -> list[Item]:
    """Instances left out as outliers; those of one service that overlap are one item."""
    pairs = spans(events, "outlier.ejected", ("outlier.readmitted",), lambda e: text_of(e, "instance"))
    runs: dict[str, list[list[tuple[Event, Event | None]]]] = {}
    for pair in pairs:
        of_one = runs.setdefault(pair[0].subject, [])
        until = max((end_s if end is None else end.t for _, end in of_one[-1]), default=0.0) if of_one else -1.0
        if pair[0].t <= until:
            of_one[-1].append(pair)
        else:
            of_one.append([pair])
    items = []
    for subject, groups in runs.items():
        for group in groups:
            last = max(group, key=lambda pair: end_s if pair[1] is None else pair[1].t)[1]
            who = (
                text_of(group[0][0], "instance")
                if len(group) == 1
                else f"{len(group)} times at {subject.removeprefix('service/')}"
            )
            items.append(_span((group[0][0], last), end_s, f"ejected {who}", style.SKY))
    return items


def _is_smaller(event: Event) -> bool:
    """Whether instances are given back, which takes effect at once."""
    return event.kind == "scaling.requested" and event.number("to") < event.number("from")

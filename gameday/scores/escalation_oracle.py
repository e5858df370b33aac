"""Plays the escalation policy again from the first call and the acknowledgements alone, and compares it with the pages that went out.

    policy            level 1 at 0 s, level 2 at 300 s, level 3 at 600 s
    acknowledged at   420 s
    due               level 1 at 0 s, level 2 at 300 s             a page at 600 s would be one too many

The rule that surprises: it shares no code with the machine that escalates, only the calendar of the rotas; if it did, it would agree
with every mistake of that machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from gameday.escalation import DEFAULT_ESCALATION, Directory
from gameday.people import zone
from gameday.rotas import weekly_hours
from gameday.scores.affected import component_of
from gameday.timeline import Event, Events

if TYPE_CHECKING:
    from gameday.scenario.model import Scenario
    from gameday.scenario.response import Escalation
    from gameday.scores.case import Case

TICK_S: Final = 5.0
"""A page may be this much early or late: escalation engines look at their clocks every few seconds (GoAlert: 5 s)."""
_OUT_OF_TIME = "not acknowledged in time"


@dataclass(frozen=True, slots=True)
class Due:
    """A page the policy asks for."""

    t: float
    level: int
    person: str
    optional: bool = False
    """Whether it may be left out: the alerts were over already, or the incident closed, and the pager may know or not."""
    step: int = 0
    """Levels entered before it, over all rounds."""
    urgent: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the oracle thinks of all pages together."""

    right: tuple[Event, ...]
    wrong: tuple[Event, ...]
    """Sent, and not due: a wrong person, level, urgency, or time."""
    missing: tuple[Due, ...]
    """Due, and not sent."""

    @property
    def total(self) -> int:
        """Pages sent or due."""
        return len(self.right) + len(self.wrong) + len(self.missing)


def verdict(case: Case) -> Verdict:
    """The pages of a run against its policies. Pages outside a policy (a role that is called in) have no numbered level."""
    directory = Directory(case.scenario.response, case.scenario.starts)
    right: list[Event] = []
    wrong: list[Event] = []
    missing: list[Due] = []
    for sent in chains(case.pages):
        tried = [_compare(case, sent, name, directory) for name in policies_for(case.scenario, sent[0])]
        if not tried:
            wrong += sent
            continue
        best = min(tried, key=lambda one: len(one.wrong) + len(one.missing))
        right += best.right
        wrong += best.wrong
        missing += best.missing
    return Verdict(tuple(right), tuple(wrong), tuple(missing))


def chains(pages: Events) -> list[list[Event]]:
    """Pages of one call through a policy, in order; only those with a numbered level."""
    found: dict[str, list[Event]] = {}
    for page in pages:
        if _level(page) is not None:
            found.setdefault(str(page.data.get("page")), []).append(page)
    return list(found.values())


def policies_for(scenario: Scenario, page: Event) -> list[tuple[str | None, Escalation]]:
    """Teams with the policies that may be meant: those of the teams of the rules it names; without a rule, the default one."""
    policies, teams = scenario.response.escalations, scenario.response.teams
    found: dict[tuple[str | None, str], None] = {}
    for rule in _list(page.data.get("rules")):
        known = scenario.monitoring.every_rule.get(str(rule))
        team = (known.team if known else None) or _owner(scenario, component_of(scenario, f"rule/{rule}"))
        own = teams[team].escalation if team in teams else None
        found[team, own or DEFAULT_ESCALATION] = None
    wanted = found or {(None, DEFAULT_ESCALATION): None}
    return [(team, policies[name]) for team, name in wanted if name in policies]


def due_pages(
    policy: Escalation,
    directory: Directory,
    start_s: float,
    optional_from_s: float,
    stop_s: float,
    escalated: Events,
    first_step: int = 0,
) -> Iterator[Due]:
    """What a policy asks for from `start_s` until `stop_s`, the acknowledgement or the end of the run."""
    t = start_s
    for step in range(first_step, (policy.repeat + 1) * len(policy.levels)):
        number = step % len(policy.levels) + 1
        level = policy.levels[number - 1]
        people = dict.fromkeys(person for target in level.notify for person in directory.resolve(target, t))
        for person in people:
            yield Due(t, number, person, t >= optional_from_s, step)
        if not people:
            continue  # nobody is there to be waited for
        leave_s = t + level.after
        early = escalated.between(t, leave_s - TICK_S).where(
            lambda event, number=number: (
                _number(event.data.get("from_level")) == number  # type: ignore[misc]
                and _number(event.data.get("to_level")) != number
                and event.data.get("why") != _OUT_OF_TIME
            )
        )
        t = early[0].t if early else leave_s
        if t >= stop_s:
            return


def _compare(case: Case, sent: list[Event], meant: tuple[str | None, Escalation], directory: Directory) -> Verdict:
    team, policy = meant
    start_s = sent[0].t
    of_page = case.timeline.where(lambda event: event.data.get("page") == sent[0].data.get("page") and event.t >= start_s)
    rules = [str(rule) for rule in _list(sent[0].data.get("rules"))]
    urgent_s = _urgent_from(case, team, rules, start_s)
    due = list(_all_due(case, policy, directory, start_s, urgent_s, _over(case, sent), of_page))
    right, wrong = [], []
    for page in sent:
        fitting = [one for one in due if _fits(page, one)]
        if fitting and (_is_low(page) if not fitting[0].urgent else _urgency_is_right(case.scenario, page)):
            due.remove(fitting[0])
            right.append(page)
        else:
            wrong.append(page)
    return Verdict(tuple(right), tuple(wrong), tuple(one for one in due if not one.optional))


def _all_due(
    case: Case, policy: Escalation, directory: Directory, start_s: float, urgent_s: float, over_s: float, of_page: Events
) -> Iterator[Due]:
    """Stretch by stretch: quiet until it is urgent, up to an acknowledgement, again from the end of its time."""
    acknowledged = [event.t for event in of_page.of("page.acknowledged")]
    escalated = of_page.of("page.escalated")
    if urgent_s > start_s:
        people = dict.fromkeys(one for target in policy.levels[0].notify for one in directory.resolve(target, start_s))
        yield from (Due(start_s, 1, person, start_s >= over_s, urgent=False) for person in people)
        if acknowledged and acknowledged[0] <= urgent_s and policy.acknowledgement_timeout is None:
            return
        start_s = urgent_s
    step = 0
    while start_s < case.end_s:
        stop_s = min([case.end_s, *(t for t in acknowledged if t >= start_s)])
        for due in due_pages(policy, directory, start_s, min(stop_s, over_s), stop_s, escalated, step):
            step = due.step
            yield due
        if policy.acknowledgement_timeout is None or stop_s >= case.end_s:
            return
        start_s = stop_s + policy.acknowledgement_timeout


def _urgent_from(case: Case, team: str | None, rules: list[str], start_s: float) -> float:
    """When the support hours of a team make a page urgent, looked for minute by minute."""
    teams = case.scenario.response.teams
    hours = teams[team].support_hours if team in teams else None
    if hours is None or set(rules) & set(hours.always):
        return start_s
    week = weekly_hours(hours.days, hours.starts, hours.ends, zone(hours.timezone))
    at = case.scenario.starts + timedelta(seconds=start_s)
    for _ in range(8 * 24 * 60 + 1):
        if week.contains(at):
            return start_s if at == case.scenario.starts + timedelta(seconds=start_s) else _run_s(case, at)
        at = at.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return float("inf")


def _run_s(case: Case, at: datetime) -> float:
    return (at - case.scenario.starts).total_seconds()


def _is_low(page: Event) -> bool:
    return page.data.get("urgency") == "low"


def _fits(page: Event, due: Due) -> bool:
    return _level(page) == due.level and page.data.get("person") == due.person and abs(page.t - due.t) <= TICK_S


def _over(case: Case, sent: list[Event]) -> float:
    """When there was no reason left to call anybody: all alerts it names are resolved, or the incident is."""
    ends = [event.t for event in (case.timeline.first("incident.resolved", after=sent[0].t),) if event is not None]
    rules = {str(rule) for rule in _list(sent[0].data.get("rules"))}
    resolved = case.events("alert.resolved").where(lambda event: event.t >= sent[0].t and event.data.get("rule") in rules)
    if rules and rules <= {event.data.get("rule") for event in resolved}:
        ends.append(max(next(one.t for one in resolved if one.data.get("rule") == rule) for rule in rules))
    return min(ends, default=float("inf"))


def _urgency_is_right(scenario: Scenario, page: Event) -> bool:
    """A page about a rule that pages is urgent, one about tickets only is not; other words for urgency are not judged."""
    severities = {
        scenario.monitoring.every_rule[str(rule)].severity
        for rule in _list(page.data.get("rules"))
        if str(rule) in scenario.monitoring.every_rule
    }
    urgency = page.data.get("urgency")
    if not severities or urgency not in {"high", "low"}:
        return True
    return urgency == ("high" if "page" in severities else "low")


def _owner(scenario: Scenario, component: str | None) -> str | None:
    kind, _, name = (component or "").partition("/")
    system = scenario.system
    if kind == "queue" and name in system.queues:
        kind, name = "service", system.queues[name].consumer
    if kind == "service" and name in system.services:
        return system.services[name].owner
    return system.databases[name].owner if kind == "database" and name in system.databases else None


def _level(page: Event) -> int | None:
    return _number(page.data.get("level"))


def _number(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value)
    return int(value) if isinstance(value, str) and value.isdecimal() else None


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []

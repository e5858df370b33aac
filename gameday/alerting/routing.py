"""From the monitoring of a scenario to its dispatcher: routes, receivers, intervals, inhibitions, silences; and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, tzinfo
from functools import partial
from typing import TYPE_CHECKING

from gameday.alerting.dispatch import Dispatcher
from gameday.alerting.labels import BUILT_IN
from gameday.alerting.matchers import Matcher, Matchers, parse_matcher
from gameday.alerting.mute import InhibitRule, SilencePeriod
from gameday.alerting.routes import EVERY_LABEL, OFFICE_HOURS, STANDARD_RECEIVERS, receivers_of, standard_tree, tree_of
from gameday.alerting.time_intervals import WEEKDAYS, Interval, parts_of, wall_interval
from gameday.errors import Problem, nearest
from gameday.people import WeeklyHours, office_hours, wall_time

if TYPE_CHECKING:
    from gameday.scenario.monitoring import Monitoring
    from gameday.scenario.routing import Route, Routing


_TAKEN = "is a label that every alert has; choose another name"
_SEVERITY = (
    "can be given only beside a routing tree (monitoring.routing), which then decides what pages; use the rule's 'severity'"
)


def dispatcher_of(monitoring: Monitoring, starts: datetime | None, ticket_hours: WeeklyHours | None) -> Dispatcher:
    """The dispatcher of a scenario `routing_problems` finds nothing wrong with.

    Without a start there is no wall time: tickets then do not wait, and a routing tree may not name intervals.
    """
    assert starts is None or starts.tzinfo is not None, "the start of a run carries its offset from UTC"
    wall = None if starts is None else partial(wall_time, starts)
    inhibitions = [
        InhibitRule(_matchers(pair.source, pair.source_matchers), _matchers(pair.target, pair.target_matchers), tuple(pair.equal))
        for pair in monitoring.inhibitions
    ]
    silences = [
        SilencePeriod(_matchers(silence.rule, silence.matchers), silence.at, silence.at + silence.lasts, silence.why)
        for silence in monitoring.silences
    ]
    if monitoring.routing is not None:
        written = monitoring.routing
        intervals: dict[str, Sequence[Interval]] = {
            name: [wall_interval(each) for each in elements] for name, elements in written.time_intervals.items()
        }
        routes, receivers = tree_of(written.route), receivers_of(written.receivers)
    else:
        grouping = monitoring.grouping
        routes = standard_tree(grouping.by, grouping.wait, grouping.interval, grouping.repeat, ticket_hours=starts is not None)
        receivers = STANDARD_RECEIVERS
        intervals = {} if starts is None else {OFFICE_HOURS: [ticket_hours or office_hours(_zone(starts))]}
    return Dispatcher(routes, receivers=receivers, inhibitions=inhibitions, silences=silences, intervals=intervals, wall=wall)


def _matchers(rule: str | None, written: Sequence[str]) -> Matchers:
    own = () if rule is None else (Matcher("rule", "=", rule),)
    return (*own, *(parse_matcher(text) for text in written))


def routing_problems(monitoring: Monitoring) -> list[Problem]:
    """Everything about labels, routes, intervals, inhibitions and silences that cannot work."""
    found = [
        _problem(f"monitoring.rules.{name}.labels.{label}", value, _TAKEN if label != "severity" else _SEVERITY)
        for name, rule in monitoring.rules.items()
        for label, value in rule.labels.items()
        if label in BUILT_IN and label != "rule" and not (label == "severity" and monitoring.routing is not None)
    ]
    for number, silence in enumerate(monitoring.silences):
        field = f"monitoring.silences.{number}"
        found += _matcher_problems(f"{field}.matchers", silence.matchers)
        if silence.rule is None and not silence.matchers:
            found.append(_problem(field, None, "needs a 'rule' or 'matchers': it would silence everything"))
    for number, pair in enumerate(monitoring.inhibitions):
        field = f"monitoring.inhibitions.{number}"
        for side, rule, matchers in (
            ("source", pair.source, pair.source_matchers),
            ("target", pair.target, pair.target_matchers),
        ):
            found += _matcher_problems(f"{field}.{side}_matchers", matchers)
            if rule is None and not matchers:
                found.append(_problem(field, None, f"needs a '{side}' or '{side}_matchers'"))
    if monitoring.routing is not None:
        if "grouping" in monitoring.model_fields_set and monitoring.grouping != type(monitoring.grouping)():
            found.append(_problem("monitoring.grouping", None, "has no effect beside 'routing', whose routes group alerts"))
        found += _Tree(monitoring.routing).problems()
    return found


class _Tree:
    """Checks a routing tree as `amtool check-config` does."""

    def __init__(self, routing: Routing) -> None:
        self._routing = routing

    def problems(self) -> list[Problem]:
        """Everything that is wrong."""
        return [*self._intervals(), *self._top(), *self._node(self._routing.route, "monitoring.routing.route")]

    def _intervals(self) -> Iterator[Problem]:
        for name, elements in self._routing.time_intervals.items():
            for number, element in enumerate(elements):
                for part, text, read in parts_of(element):
                    message = _refusal(read)
                    if message is not None:
                        meant = nearest(text, WEEKDAYS) if part.startswith("weekdays") and ":" not in text else None
                        yield _problem(f"monitoring.routing.time_intervals.{name}.{number}.{part}", text, message, meant)

    def _top(self) -> Iterator[Problem]:
        route, field = self._routing.route, "monitoring.routing.route"
        if route.receiver is None:
            yield _problem(field, None, "needs a 'receiver': it takes what no other route takes")
        for name in ("matchers", "mute_time_intervals", "active_time_intervals"):
            if getattr(route, name):
                yield _problem(f"{field}.{name}", None, "must be empty at the top of the tree, which takes every alert")
        if route.continues:
            yield _problem(f"{field}.continue", "true", "has no meaning at the top of the tree")

    def _node(self, route: Route, field: str) -> Iterator[Problem]:
        names = self._routing.receivers
        if route.receiver is not None and route.receiver not in names:
            message = f"there is no such receiver; there are {', '.join(names)}"
            yield _problem(f"{field}.receiver", route.receiver, message, nearest(route.receiver, names))
        yield from _matcher_problems(f"{field}.matchers", route.matchers)
        for kind in ("mute_time_intervals", "active_time_intervals"):
            for number, name in enumerate(getattr(route, kind)):
                if name not in self._routing.time_intervals:
                    known = self._routing.time_intervals
                    yield _problem(f"{field}.{kind}.{number}", name, "there is no such time interval", nearest(name, known))
        if EVERY_LABEL in route.group_by and len(route.group_by) > 1:
            yield _problem(f"{field}.group_by", None, "'...' is every label already: it stands alone")
        if len(set(route.group_by)) < len(route.group_by):
            yield _problem(f"{field}.group_by", None, "names a label twice")
        for name in ("group_interval", "repeat_interval"):
            if getattr(route, name) == 0:
                yield _problem(f"{field}.{name}", "0s", "must be longer than nothing")
        for number, child in enumerate(route.routes):
            yield from self._node(child, f"{field}.routes.{number}")


def _zone(starts: datetime) -> tzinfo:
    assert starts.tzinfo is not None, "the start of a run carries its offset from UTC"
    return starts.tzinfo


def _matcher_problems(field: str, written: Sequence[str]) -> Iterator[Problem]:
    for number, text in enumerate(written):
        message = _refusal(partial(parse_matcher, text))
        if message is not None:
            yield _problem(f"{field}.{number}", text, message)
        elif parse_matcher(text).label == "alertname":
            yield _problem(f"{field}.{number}", text, "the label with the name of a rule is 'rule' here", "rule")


def _refusal(read: Callable[[], object]) -> str | None:
    try:
        read()
    except ValueError as refusal:
        return str(refusal)
    return None


def _problem(field: str, value: str | None, message: str, suggestion: str | None = None) -> Problem:
    return Problem(None, None, None, field, value, message, suggestion)

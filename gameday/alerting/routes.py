"""Alertmanager's routing tree: which receivers an alert goes to, and how its notifications are grouped.

The rule that surprises: the tree is walked depth first, children in order, and stops after the first child that matched unless that
one says `continue`; a node receives only what none of its children takes. Everything is inherited from the parent except matchers,
`continue` and the mute and active intervals. Ported by behaviour from prometheus/alertmanager `dispatch/route.go`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from gameday.alerting.alert import Labels, labels_of
from gameday.alerting.matchers import Matcher, Matchers, matches, parse_matcher

if TYPE_CHECKING:
    from gameday.scenario.routing import Receiver as WrittenReceiver
    from gameday.scenario.routing import Route as WrittenRoute

ReceiverKind = Literal["page", "ticket", "none"]
GROUP_WAIT_S, GROUP_INTERVAL_S, REPEAT_INTERVAL_S = 30.0, 300.0, 14_400.0
"""Alertmanager's defaults."""
EVERY_LABEL = "..."
"""In `group_by`: every alert is a group of its own."""
OFFICE_HOURS = "office hours"
"""Interval in which the tickets of the standard tree are notified."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who or what is told."""

    name: str
    kind: ReceiverKind = "page"
    """page wakes somebody, ticket waits to be read, none is told to nobody."""
    team: str | None = None
    """Team that is told; None = the team of the alerts, each team in groups of its own."""
    send_resolved: bool = True


@dataclass(frozen=True, slots=True)
class Route:
    """A node with everything it inherited."""

    receiver: str
    matchers: Matchers = ()
    group_by: tuple[str, ...] | None = ()
    """Labels that form a group; None = every label."""
    wait_s: float = GROUP_WAIT_S
    interval_s: float = GROUP_INTERVAL_S
    repeat_s: float = REPEAT_INTERVAL_S
    continues: bool = False
    mute: tuple[str, ...] = ()
    active: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    key: str = "{}"
    """The way to it in matchers; groups of two routes with the same key and receiver share what they remember of notifications."""
    number: int = 0
    """Place in the tree, counted depth first."""

    def matching(self, labels: Mapping[str, str]) -> list[Route]:
        """The nodes that take an alert with these labels."""
        if not matches(self.matchers, labels):
            return []
        found: list[Route] = []
        for child in self.routes:
            taken = child.matching(labels)
            found += taken
            if taken and not child.continues:
                break
        return found or [self]

    def group_of(self, labels: Mapping[str, str]) -> Labels:
        """The labels of the group an alert belongs to."""
        if self.group_by is None:
            return labels_of(labels)
        return labels_of({name: labels.get(name, "") for name in self.group_by})

    def nodes(self) -> Iterator[Route]:
        """The node and all below it, depth first."""
        yield self
        for child in self.routes:
            yield from child.nodes()


def standard_tree(
    by: Sequence[str] = ("team", "severity"),
    wait_s: float = GROUP_WAIT_S,
    interval_s: float = GROUP_INTERVAL_S,
    repeat_s: float = REPEAT_INTERVAL_S,
    *,
    ticket_hours: bool = False,
) -> Route:
    """Pages to `page`, tickets to `ticket`, grouped alike; with `ticket_hours`, tickets are notified in OFFICE_HOURS only."""
    root = Route("page", (), tuple(by), wait_s, interval_s, repeat_s)
    ticket = Matcher("severity", "=", "ticket")
    active = (OFFICE_HOURS,) if ticket_hours else ()
    child = replace(root, receiver="ticket", matchers=(ticket,), active=active, key=f"{root.key}/{{{ticket}}}", number=1)
    return replace(root, routes=(child,))


STANDARD_RECEIVERS = {"page": Receiver("page", "page"), "ticket": Receiver("ticket", "ticket")}
"""Receivers of the standard tree."""


def tree_of(written: WrittenRoute) -> Route:
    """The tree a scenario writes and `problems` finds nothing wrong with."""
    root = Route(written.receiver or "")
    return _numbered(_node(written, root, ""), [0])


def _node(written: WrittenRoute, parent: Route, above: str) -> Route:
    matchers = tuple(sorted((parse_matcher(text) for text in written.matchers), key=lambda m: (m.label, m.value, m.operator)))
    key = above + "{" + ",".join(map(str, matchers)) + "}"
    by = parent.group_by
    if written.group_by:
        by = None if EVERY_LABEL in written.group_by else tuple(written.group_by)
    node = Route(
        written.receiver or parent.receiver,
        matchers,
        by,
        parent.wait_s if written.group_wait is None else written.group_wait,
        parent.interval_s if written.group_interval is None else written.group_interval,
        parent.repeat_s if written.repeat_interval is None else written.repeat_interval,
        written.continues,
        tuple(written.mute_time_intervals),
        tuple(written.active_time_intervals),
        key=key,
    )
    return replace(node, routes=tuple(_node(child, node, f"{key}/") for child in written.routes))


def _numbered(node: Route, count: list[int]) -> Route:
    number = count[0]
    count[0] += 1
    return replace(node, routes=tuple(_numbered(child, count) for child in node.routes), number=number)


def receivers_of(written: Mapping[str, WrittenReceiver]) -> dict[str, Receiver]:
    """The receivers a scenario writes."""
    return {name: Receiver(name, each.kind, each.team, each.send_resolved) for name, each in written.items()}

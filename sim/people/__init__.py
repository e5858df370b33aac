"""Models of people: paged, woken, engaged, diagnosing, deciding, acting, telling others. Their rules live in `gameday`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.day import Day


def start_people(day: Day) -> None:
    """Start the monitoring and everybody it can reach."""
    from sim.monitoring import Monitor
    from sim.people.cast import Cast
    from sim.people.dashboards import Dashboards
    from sim.people.incident import Incident, IncidentDesk
    from sim.people.messages import MessageDesk
    from sim.people.pager import Page, Pager
    from sim.people.regulation import RegulatoryClocks
    from sim.people.roles import Roles

    cast = Cast(day.world)
    pager = Pager(day.world, cast)
    dashboards = Dashboards(day, Monitor(day, pager))
    desk = IncidentDesk(day, cast, dashboards)
    clocks = RegulatoryClocks(day)
    MessageDesk(day, cast, dashboards, desk, Roles(day, cast, desk), clocks)

    def acknowledged(page: Page, person: str) -> None:
        clocks.happened("page.acknowledged")
        desk.acknowledged(page, person)

    def closed(incident: Incident, what: str) -> None:
        if what == "closed":
            pager.handled(everything=incident.declared_at is not None)

    pager.on_acknowledged = acknowledged
    desk.listeners.append(closed)

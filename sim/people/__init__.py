"""Models of people: paged, woken, engaged, diagnosing, deciding, acting, telling others. Their rules live in `gameday`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.day import Day


def start_people(day: Day) -> None:
    """Start the monitoring and everybody it can reach."""
    from sim.monitoring import Monitor
    from sim.people.cast import Cast
    from sim.people.incident import IncidentDesk
    from sim.people.messages import MessageDesk
    from sim.people.pager import Page, Pager

    cast = Cast(day.world)
    pager = Pager(day.world, cast)
    monitor = Monitor(day, pager)
    desk = IncidentDesk(day, cast, blind=lambda: not monitor.works() or monitor.isolated())
    messages = MessageDesk(day, cast, desk)

    def acknowledged(page: Page, person: str) -> None:
        messages.acknowledged()
        desk.acknowledged(page, person)

    pager.on_acknowledged = acknowledged

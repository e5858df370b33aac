"""Models of people: paged, woken, engaged, diagnosing, deciding, acting, telling others. Their rules live in `gameday`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.day import Day
    from sim.processes import Steps


def start_people(day: Day) -> None:
    """Start the monitoring and everybody it can reach."""
    from sim.monitoring import Monitor
    from sim.people.archive import Archive
    from sim.people.bridge import BridgeCall
    from sim.people.cast import Cast
    from sim.people.checklist import Activation
    from sim.people.dashboards import Dashboards
    from sim.people.deputy import Deputy
    from sim.people.incident import Incident, IncidentDesk
    from sim.people.inquiries import InquiryDesk
    from sim.people.messages import MessageDesk
    from sim.people.pager import Page, Pager
    from sim.people.regulation import RegulatoryClocks
    from sim.people.relief import Relief
    from sim.people.roles import Roles
    from sim.people.status_page import PublicStatus

    cast = Cast(day.world)
    pager = Pager(day.world, cast)
    dashboards = Dashboards(day, Monitor(day, pager))
    desk = IncidentDesk(day, cast, dashboards)
    clocks = RegulatoryClocks(day, cast)
    roles = Roles(day, cast, desk)
    rotate_after = cast.response.command.rotate_after
    if rotate_after is not None:
        desk.relieve = Relief(day.world, cast, roles, rotate_after).look
    bridge = BridgeCall(day, cast, dashboards, desk, roles)
    deputy = Deputy(day.world, cast, desk, roles)
    messages = MessageDesk(day, cast, dashboards, desk, roles, clocks, deputy)
    messages.posted = PublicStatus(day, cast, dashboards, desk).posted
    archive = Archive(day, cast, roles)
    messages.on_published += [
        lambda _incident, audience, _phase, _name: bridge.told(audience),
        lambda incident, audience, _phase, name: archive.keep(incident, audience, name),
    ]
    asked = day.world.scenario.communication.inquiries
    if asked is not None:
        inquiries = InquiryDesk(day, cast, desk, roles, asked)
        messages.on_published.append(lambda _incident, audience, phase, _name: inquiries.published(audience, phase))
    checklist = day.world.scenario.response.command.failover_checklist
    if checklist is not None:

        def activate(by: str, target: str) -> Steps[None]:
            yield from Activation(day.world, cast, roles.bring, checklist, target).run(by)

        desk.hands.activate = activate

    def acknowledged(page: Page, person: str) -> None:
        clocks.happened("page.acknowledged")
        desk.acknowledged(page, person)

    def closed(incident: Incident, what: str) -> None:
        if what == "closed":
            pager.handled(everything=incident.declared_at is not None)

    pager.on_acknowledged = acknowledged
    desk.listeners.append(closed)

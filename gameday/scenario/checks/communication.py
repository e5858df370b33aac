"""Checks of the communication plan: roles that write, approve and publish, clocks, texts, the status page."""

from __future__ import annotations

from gameday.communication.templates import problems as template_problems
from gameday.scenario.checks.book import Book
from gameday.scenario.communication import Audience

Path = tuple[str | int, ...]


def check_communication(book: Book) -> None:
    """Everything within `communication`."""
    plan = book.scenario.communication
    for name, audience in plan.audiences.items():
        _audience(book, ("communication", "audiences", name), audience)
    book.adopt(template_problems(plan.templates))
    _status_page(book)
    book.place(("communication", "chat_location"), plan.chat_location)
    for name, clock in plan.clocks.items():
        book.known(("communication", "clocks", name, "audience"), clock.audience, plan.audiences, "audience")
    if plan.executives.exposure_above is not None and not any(book.system.money.lost_request.values()):
        message = "can never be reached: a lost request costs nothing (system.money.lost_request)"
        book.wrong(("communication", "executives", "exposure_above"), message)


def _status_page(book: Book) -> None:
    page, path = book.scenario.communication.status_page, ("communication", "status_page")
    book.place((*path, "location"), page.location)
    planned = [each.target for each in book.scenario.schedule.maintenance]
    for name, component in page.components.items():
        own = (*path, "components", name)
        for number, each in enumerate(component.classes):
            book.known((*own, "classes", number), each, book.scenario.load.classes, "request class")
        if component.region is not None:
            book.known((*own, "region"), component.region, book.system.regions, "region")
        for number, target in enumerate(component.maintenance):
            book.known((*own, "maintenance", number), target, planned, "target of planned work (schedule.maintenance)")
    told = any(audience.channel == "status_page" for audience in book.scenario.communication.audiences.values())
    if page.components and not told:
        book.wrong((*path, "components"), "nobody ever sets them: no audience has the channel status_page", value=None)


def _audience(book: Book, path: Path, audience: Audience) -> None:
    book.role((*path, "author"), audience.author, "nobody writes to this audience")
    for number, role in enumerate(audience.approvals):
        book.role((*path, "approvals", number), role, "nothing is ever approved")
    for number, role in enumerate(audience.spokespersons):
        book.role((*path, "spokespersons", number), role, "this spokesperson never speaks")
    if not audience.severities:
        book.wrong((*path, "severities"), "names no severity, so this audience is never told", value=None)

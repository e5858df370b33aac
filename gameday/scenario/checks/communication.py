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
    book.place(("communication", "status_page", "location"), plan.status_page.location)
    book.place(("communication", "chat_location"), plan.chat_location)
    for name, clock in plan.clocks.items():
        book.known(("communication", "clocks", name, "audience"), clock.audience, plan.audiences, "audience")
    if plan.executives.exposure_above is not None and not any(book.system.money.lost_request.values()):
        message = "can never be reached: a lost request costs nothing (system.money.lost_request)"
        book.wrong(("communication", "executives", "exposure_above"), message)


def _audience(book: Book, path: Path, audience: Audience) -> None:
    book.role((*path, "author"), audience.author, "nobody writes to this audience")
    for number, role in enumerate(audience.approvals):
        book.role((*path, "approvals", number), role, "nothing is ever approved")
    for number, role in enumerate(audience.spokespersons):
        book.role((*path, "spokespersons", number), role, "this spokesperson never speaks")
    if not audience.severities:
        book.wrong((*path, "severities"), "names no severity, so this audience is never told", value=None)

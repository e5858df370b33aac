"""Checks of the communication plan: roles that write, approve and publish, clocks, texts, the status page."""

from __future__ import annotations

from gameday.communication.templates import problems as template_problems
from gameday.duty_clock import NOTICE_BEFORE
from gameday.people import availability, refused, wall_time, zone
from gameday.scenario.checks.book import Book
from gameday.scenario.communication import Audience

Path = tuple[str | int, ...]
LOOK_EVERY_S = 300
"""How closely office hours are looked for in the day that is played."""


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
    _regulation(book)
    if plan.executives.exposure_above is not None and not any(book.system.money.lost_request.values()):
        message = "can never be reached: a lost request costs nothing (system.money.lost_request)"
        book.wrong(("communication", "executives", "exposure_above"), message)


def somebody_can_be_had(book: Book, path: Path, role: str, why: str) -> None:
    """A problem where everybody in a role can be had in office hours only, and none of those hours are in the day that is played."""
    holders = book.scenario.response.roles.get(role, [])
    if holders and not had_at(book, holders):
        book.wrong(path, _nobody(book, holders, why), value=role)


def had_at(book: Book, people: list[str]) -> bool:
    """Whether one of them can be had at some time of the day that is played."""
    scenario = book.scenario
    times = [wall_time(scenario.starts, float(at)) for at in range(0, int(scenario.duration) + 1, LOOK_EVERY_S)]
    known = [scenario.response.people[person] for person in people if person in scenario.response.people]
    try:
        return not known or any(availability(person, at) != "unavailable" for person in known for at in times)
    except ValueError:
        return True  # a clock that cannot be read is a problem of its own


def _nobody(book: Book, people: list[str], why: str) -> str:
    first = wall_time(book.scenario.starts, 0.0)
    last = wall_time(book.scenario.starts, book.scenario.duration)
    names = ", ".join(dict.fromkeys(people))
    return (
        f"deadlock: {names} can be had in office hours only, and none of them is at work from {first:%a %H:%M} to {last:%a %H:%M} UTC, so "
        f"{why}; name an alternate in another time zone"
    )


def _regulation(book: Book) -> None:
    """Duties by name, each with an audience of its own, and somebody who classifies where the law counts from that."""
    from gameday.regimes import DUTIES

    communication, path = book.scenario.communication, ("communication", "regulation")
    plan = communication.regulation
    taken: dict[str, str] = {}
    for name, duty in plan.duties.items():
        own = (*path, "duties", name)
        if not book.known(own, name, DUTIES, "duty (`gameday clocks` lists them)", of_key=True):
            continue
        if (why := DUTIES[name].disabled) is not None:
            book.wrong(own, f"is not counted: {why}", value=name, of_key=True)
        if book.known((*own, "audience"), duty.audience, communication.audiences, "audience") and duty.audience in taken:
            message = f"is the audience of {taken[duty.audience]} already; each notice has an audience of its own"
            book.wrong((*own, "audience"), message)
        taken.setdefault(duty.audience, name)
        if DUTIES[name].anchor in ("classified", "determined") and plan.classified_by is None:
            message = f"counts from the moment the incident is {DUTIES[name].anchor}, and nobody does that: name a role in classified_by"
            book.wrong(own, message, value=name, of_key=True)
        if (before := NOTICE_BEFORE.get(DUTIES[name].anchor)) is not None and before not in plan.duties:
            book.wrong(
                own, f"counts from the notice {before}, which is not planned", value=name, candidates=[before], of_key=True
            )
    if plan.classified_by is not None:
        book.role((*path, "classified_by"), plan.classified_by, "nobody classifies an incident")
    book.adopt(refused("communication.regulation.timezone", plan.timezone, zone))


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
        if audience.external:
            somebody_can_be_had(book, (*path, "approvals", number), role, f"no message to {path[-1]} is ever approved")
    for number, role in enumerate(audience.spokespersons):
        book.role((*path, "spokespersons", number), role, "this spokesperson never speaks")
    speakers = [person for role in audience.spokespersons for person in book.scenario.response.roles.get(role, [])]
    if audience.external and audience.author not in audience.spokespersons and speakers and not had_at(book, speakers):
        why = f"no message to {path[-1]} is ever published"
        book.wrong((*path, "spokespersons"), _nobody(book, speakers, why), value=None)
    if not audience.severities:
        book.wrong((*path, "severities"), "names no severity, so this audience is never told", value=None)

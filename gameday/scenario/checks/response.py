"""Checks of the people: teams, rotas, escalations, roles, runbooks, and their clocks."""

from __future__ import annotations

from collections.abc import Collection

from gameday.faults import faults
from gameday.people import problems as people_problems
from gameday.scenario.checks.book import Book, a
from gameday.scenario.checks.oncall import check_rota, check_support_hours
from gameday.scenario.response import Escalation, Response

Path = tuple[str | int, ...]


def check_response(book: Book) -> None:
    """Everything within `response`."""
    response = book.scenario.response
    book.adopt(people_problems(response))
    _people(book, response)
    for name, escalation in response.escalations.items():
        _escalation(book, ("response", "escalations", name), escalation)
    for key in response.runbooks:
        _runbook(book, ("response", "runbooks", key), key)


def _people(book: Book, response: Response) -> None:
    """What people know, and the teams, rotas and roles they are in."""
    components = [*book.system.services, *book.system.databases]
    for name, person in response.people.items():
        for number, known in enumerate(person.knows):
            book.known(("response", "people", name, "knows", number), known, components, "service or database")
    for name, team in response.teams.items():
        path: Path = ("response", "teams", name)
        for number, member in enumerate(team.members):
            book.known((*path, "members", number), member, response.people, "person")
        if team.escalation is not None:
            book.known((*path, "escalation"), team.escalation, response.escalations, "escalation")
        if team.support_hours is not None:
            check_support_hours(book, (*path, "support_hours"), team.support_hours)
    for name, rota in response.rotas.items():
        check_rota(book, ("response", "rotas", name), rota)
    for name, people in response.roles.items():
        for number, member in enumerate(people):
            book.known(("response", "roles", name, number), member, response.people, "person")


def _escalation(book: Book, path: Path, escalation: Escalation) -> None:
    response = book.scenario.response
    tables: dict[str, Collection[str]] = {"rota": response.rotas, "person": response.people, "team": response.teams}
    words = [f"{kind}/{name}" for kind, table in tables.items() for name in table]
    for number, level in enumerate(escalation.levels):
        for position, text in enumerate(level.notify):
            kind, _, name = text.partition("/")
            place = (*path, "levels", number, "notify", position)
            if kind not in tables:
                book.wrong(place, "must be rota/<name>, person/<name> or team/<name>", value=text, candidates=words)
            elif name not in tables[kind]:
                book.wrong(place, f"there is no such {kind}", value=text, candidates=words)


def _runbook(book: Book, path: Path, key: str) -> None:
    """`<fault>` or `<fault> <selector>`."""
    name, _, target = key.strip().partition(" ")
    if name not in faults():
        rest = f" {target}" if target else ""
        message = f"a runbook is for a kind of fault, or a kind and a target; faults are {', '.join(faults())}"
        book.wrong(path, message, value=key, candidates=[f"{each}{rest}" for each in faults()], of_key=True)
        return
    if target:
        found = book.selector(path, target.strip())
        if found is not None and found[0].kind not in faults()[name].targets:
            book.wrong(path, f"{name} cannot hit {a(found[0].kind)}", value=key, of_key=True)

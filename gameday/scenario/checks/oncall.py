"""Checks of rotas and support hours: everybody is known, times can be read, and somebody is in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from gameday.people import minute_of_day, zone
from gameday.rotas import instant
from gameday.scenario.checks.book import Book
from gameday.scenario.oncall import Hours, Rota, SupportHours

Path = tuple[str | int, ...]


def check_rota(book: Book, path: Path, rota: Rota) -> None:
    """One rota."""
    if not (rota.people or rota.layers or rota.shifts):
        empty = "its calendar has no shift in the days of the run" if rota.calendar else "it has no people, layers or calendar"
        book.wrong(path, f"nobody is in this rota: {empty}", value=None)
    _people(book, (*path, "people"), rota.people)
    if rota.timezone is not None:
        _read(book, (*path, "timezone"), rota.timezone, zone)
    _hours(book, (*path, "only"), rota.only)
    for number, layer in enumerate(rota.layers):
        place = (*path, "layers", number)
        _people(book, (*place, "people"), layer.people)
        if layer.shift <= 0:
            book.wrong((*place, "shift"), "a turn must last longer than nothing", value="0s")
        _read(book, (*place, "starts"), layer.starts, _iso)
        _hours(book, (*place, "only"), layer.only)
        _stretch(book, place, ("since", "until"), (layer.since, layer.until))
    for number, shift in enumerate(rota.shifts or ()):
        place = (*path, "shifts", number)
        book.known((*place, "person"), shift.person, book.scenario.response.people, "person")
        _stretch(book, place, ("starts", "ends"), (shift.starts, shift.ends))
    for number, override in enumerate(rota.overrides):
        place = (*path, "overrides", number)
        for key, person in (("person", override.person), ("instead_of", override.instead_of)):
            if person is not None:
                book.known((*place, key), person, book.scenario.response.people, "person")
        if override.person is None and override.instead_of is None:
            book.wrong(place, "changes nothing: it needs a person, instead_of, or both", value=None)
        _stretch(book, place, ("starts", "ends"), (override.starts, override.ends))


def check_support_hours(book: Book, path: Path, hours: SupportHours) -> None:
    """The support hours of one team."""
    _read(book, (*path, "timezone"), hours.timezone, zone)
    _hours(book, path, [Hours(days=hours.days, starts=hours.starts, ends=hours.ends)], numbered=False)
    for number, rule in enumerate(hours.always):
        book.known((*path, "always", number), rule, book.scenario.monitoring.rules, "alert rule")


def _people(book: Book, path: Path, people: Sequence[str]) -> None:
    for number, member in enumerate(people):
        book.known((*path, number), member, book.scenario.response.people, "person")


def _hours(book: Book, path: Path, hours: Sequence[Hours], *, numbered: bool = True) -> None:
    for number, one in enumerate(hours):
        place = (*path, number) if numbered else path
        right = all([_read(book, (*place, key), getattr(one, key), minute_of_day) for key in ("starts", "ends")])  # noqa: C419 - both are told
        if right and minute_of_day(one.starts) == minute_of_day(one.ends):
            book.wrong((*place, "ends"), "the hours are empty: they end when they start", value=one.ends)


def _stretch(book: Book, path: Path, keys: tuple[str, str], texts: tuple[str | None, str | None]) -> None:
    """Both ends can be read, and the second is later."""
    right = all([_read(book, (*path, key), text, _iso) for key, text in zip(keys, texts, strict=True)])  # noqa: C419 - both are told
    first, second = texts
    if right and first is not None and second is not None and instant(second, zone("UTC")) <= instant(first, zone("UTC")):
        book.wrong((*path, keys[1]), f"is not after '{keys[0]}' ({first})", value=second)


def _read(book: Book, path: Path, text: str | None, read: Callable[[str], object]) -> bool:
    try:
        if text is not None:
            read(text)
    except ValueError as refusal:
        book.wrong(path, str(refusal), value=text)
        return False
    return True


def _iso(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"'{text}' is not an ISO date and time, e.g. '2026-03-02T09:00'") from None

"""Checks of the load: where requests enter, how many come, and from where."""

from __future__ import annotations

from gameday.scenario.checks.book import Book
from gameday.scenario.checks.system import shares_sum
from gameday.scenario.load import Bursty, Replay, RequestClass, Spike, parts_of

Path = tuple[str | int, ...]


def check_load(book: Book) -> None:
    """Every request class."""
    for name, request_class in book.scenario.load.classes.items():
        path: Path = ("load", "classes", name)
        if book.known((*path, "entry"), request_class.entry, book.system.services, "service") and not book.topology.instances_of(
            request_class.entry
        ):
            book.wrong((*path, "entry"), "has no instance anywhere, so these requests reach nothing")
        _amount(book, path, request_class)
        _origins(book, path, request_class)


def _amount(book: Book, path: Path, request_class: RequestClass) -> None:
    rate = request_class.rate
    if rate is None and request_class.users is None:
        book.wrong(path, "needs either a rate (open arrivals) or users (closed); it has neither", value=None, of_key=True)
    elif rate is not None and request_class.users is not None:
        book.wrong((*path, "users"), "needs either a rate (open arrivals) or users (closed); it has both")
    if rate == []:
        book.wrong((*path, "rate"), "is an empty list: nobody comes", value=None)
    if sum(isinstance(shape, Bursty) for shape in parts_of(rate)) > 1:
        book.wrong((*path, "rate"), "holds two bursty shapes; a class can have one", value=None)
    for number, shape in enumerate(parts_of(rate)):
        place: Path = (*path, "rate", number) if isinstance(rate, list) else (*path, "rate")
        if isinstance(shape, Spike) and 2 * shape.ramp > shape.lasts:
            book.wrong((*place, "ramp"), "rising and falling take longer than the whole spike")
        if isinstance(shape, Bursty) and shape.burst <= shape.calm:
            book.wrong((*place, "burst"), "must be more than the calm rate")
        if isinstance(shape, Replay) and shape.file is None and shape.counts is None:
            book.wrong(place, "a replay needs a file or counts", value=None)


def _origins(book: Book, path: Path, request_class: RequestClass) -> None:
    if request_class.origins is None:
        return
    for name in request_class.origins:
        book.known((*path, "origins", name), name, book.system.traffic.origins, "origin", of_key=True)
    shares_sum(book, (*path, "origins"), list(request_class.origins.values()))

"""Checks of what a service does about too much work: settings that change nothing, and settings without sense."""

from __future__ import annotations

from gameday.scenario.checks.book import Book
from gameday.scenario.guards import Limiter, limits_of
from gameday.scenario.system import Dependency, Service

Path = tuple[str | int, ...]


def check_guards(book: Book, path: Path, service: Service) -> None:
    """One service."""
    if service.lifo_above is not None and service.queue_order != "adaptive_lifo":
        book.wrong((*path, "lifo_above"), f"has no effect on the queue order {service.queue_order}, only on adaptive_lifo")
    if service.limiter is not None:
        _limiter(book, (*path, "limiter"), service.limiter)
    codel = service.codel
    if codel is not None and codel.target > codel.interval:
        book.wrong(
            (*path, "codel", "target"), "is longer than the interval, so a standing queue would wait longer than a short one"
        )


def check_cache(book: Book, path: Path, call: Dependency, kind: str | None) -> None:
    """The cache in front of one call, and messages that are to be called back."""
    if kind == "queue" and call.cancel != "none":
        book.wrong((*path, "cancel"), "has no effect on a message that is sent: it cannot be called back")
    cache = call.cache
    if cache is None:
        return
    if call.operation == "write":
        book.wrong((*path, "cache"), "has no place on a write: only answers are kept", value=None)
    elif kind == "queue" or call.mode == "async":
        book.wrong((*path, "cache"), "has no place on a call that is not waited for: there is no answer to keep", value=None)
    if cache.capacity is not None and cache.capacity > cache.keys:
        book.wrong((*path, "cache", "capacity"), f"is more than the {cache.keys} keys there are: leave it out to keep all")


def _limiter(book: Book, path: Path, limiter: Limiter) -> None:
    if not limiter.adaptive:
        for name in ("least", "most", "window"):
            if getattr(limiter, name) is not None:
                book.wrong((*path, name), "has no effect on a fixed limit: set 'adaptive: true' or leave it out")
        return
    least, most = limits_of(limiter)
    if least > most:
        place, other = ("least", f"most, {most:g}") if limiter.least is not None else ("most", f"least, {least:g}")
        book.wrong((*path, place), f"contradicts the {other}")
    elif not least <= limiter.limit <= most:
        book.wrong((*path, "limit"), f"must be from {least:g} to {most:g}, where an adaptive limit moves")

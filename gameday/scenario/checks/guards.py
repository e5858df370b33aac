"""Checks of what a service does about too much work: settings that change nothing, and settings without sense."""

from __future__ import annotations

from gameday.scenario.checks.book import Book
from gameday.scenario.system import Service

Path = tuple[str | int, ...]


def check_guards(book: Book, path: Path, service: Service) -> None:
    """One service."""
    if service.lifo_above is not None and service.queue_order != "adaptive_lifo":
        book.wrong((*path, "lifo_above"), f"has no effect on the queue order {service.queue_order}, only on adaptive_lifo")
    codel = service.codel
    if codel is not None and codel.target > codel.interval:
        book.wrong(
            (*path, "codel", "target"), "is longer than the interval, so a standing queue would wait longer than a short one"
        )

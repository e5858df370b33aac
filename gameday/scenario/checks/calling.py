"""Checks of what a caller does about one call: settings that change nothing, and settings without sense."""

from __future__ import annotations

from gameday.scenario.checks.book import Book
from gameday.scenario.system import Breaker, Dependency

Path = tuple[str | int, ...]


def check_calling(book: Book, path: Path, call: Dependency) -> None:
    """The policies of one dependency."""
    if call.breaker is not None:
        _breaker(book, (*path, "breaker"), call.breaker)


def _breaker(book: Book, path: Path, breaker: Breaker) -> None:
    given = breaker.model_fields_set
    if breaker.failure_ratio is None:
        for name in sorted(given & {"window", "minimum"}):
            book.wrong((*path, name), "has no effect without a failure_ratio")
        return
    if "failures" in given:
        book.wrong((*path, "failures"), "has no effect beside a failure_ratio: leave out one of them")
    if breaker.minimum > breaker.window:
        book.wrong((*path, "minimum"), f"is more than the window of {breaker.window}, so the breaker would never open")

"""Checks of what a caller does about one call: settings that change nothing, and settings without sense."""

from __future__ import annotations

from gameday.scenario.checks.book import Book
from gameday.scenario.system import Breaker, Database, Dependency, Provider, Service
from gameday.selectors import target_of
from gameday.units import format_duration

Path = tuple[str | int, ...]


def check_calling(book: Book, path: Path, call: Dependency) -> None:
    """The policies of one dependency."""
    if call.breaker is not None:
        _breaker(book, (*path, "breaker"), call.breaker)
    if call.hedge is not None and call.mode == "async":
        book.wrong((*path, "hedge"), "nobody waits for the answer of an asynchronous call, so there is nothing to hedge")
    timeout_s = _timeout_s(book, call)
    if call.hedge is not None and timeout_s is not None and call.hedge >= timeout_s:
        book.wrong(
            (*path, "hedge"), f"is not shorter than the timeout of {format_duration(timeout_s)}, so it would never be used"
        )


def _timeout_s(book: Book, call: Dependency) -> float | None:
    """How long an attempt may take; None when what is called is not there."""
    if call.timeout is not None:
        return call.timeout
    kind, _, name = target_of(call.to).partition("/")
    system = book.system
    called: Service | Database | Provider | None = None
    if kind == "service":
        called = system.services.get(name)
    elif kind == "database":
        called = system.databases.get(name)
    elif kind == "provider":
        called = system.providers.get(name)
    return None if called is None else called.timeout


def _breaker(book: Book, path: Path, breaker: Breaker) -> None:
    usual = Breaker()  # a complete file, such as that of a run folder, writes every default out
    given = {name for name in breaker.model_fields_set if getattr(breaker, name) != getattr(usual, name)}
    if breaker.failure_ratio is None:
        for name in sorted(given & {"window", "minimum"}):
            book.wrong((*path, name), "has no effect without a failure_ratio")
        return
    if "failures" in given:
        book.wrong((*path, "failures"), "has no effect beside a failure_ratio: leave out one of them")
    if breaker.minimum > breaker.window:
        book.wrong((*path, "minimum"), f"is more than the window of {breaker.window}, so the breaker would never open")

"""Checks of the policies: failover, promotion, shedding, degradation.

The rule that surprises: a policy that cannot do anything in this system is a mistake, not a weak policy.
"""

from __future__ import annotations

from collections.abc import Iterator

from gameday.scenario.checks.book import Book
from gameday.scenario.checks.communication import somebody_can_be_had
from gameday.scenario.policies import Degradation, Failover, Promotion
from gameday.selectors import INTERNET, target_of

Path = tuple[str | int, ...]


def check_policies(book: Book) -> None:
    """Everything within `policies`."""
    policies = book.scenario.policies
    _failover(book, policies.failover)
    for name, promotion in policies.databases.items():
        if book.known(("policies", "databases", name), name, book.system.databases, "database", of_key=True):
            _promotion(book, name, promotion)
    for name in policies.shedding.services:
        book.known(("policies", "shedding", "services", name), name, book.system.services, "service", of_key=True)
    if policies.shedding.enabled and not policies.shedding.services:
        book.wrong(("policies", "shedding", "services"), "names no service, so nothing is shed", value=None)
    for number, degradation in enumerate(policies.degradation):
        _degradation(book, ("policies", "degradation", number), degradation)


def _failover(book: Book, failover: Failover) -> None:
    path: Path = ("policies", "failover")
    for source, target in failover.pairs.items():
        here = (*path, "pairs", source)
        known = book.known(here, source, book.system.regions, "region", of_key=True)
        if book.known(here, target, book.system.regions, "region") and known:
            _pair(book, here, source, target)
    for number, vantage in enumerate(failover.vantage):
        book.known((*path, "vantage", number), vantage, [*book.system.regions, INTERNET], "region")
    for number, name in enumerate(failover.databases or []):
        book.known((*path, "databases", number), name, book.system.databases, "database")
    _failover_acts(book, path, failover)


def _failover_acts(book: Book, path: Path, failover: Failover) -> None:
    """Whether it can do anything at all."""
    if failover.trigger.failed > failover.trigger.last:
        message = f"can never trigger: there are no {failover.trigger.failed} failures in {failover.trigger.last} probes"
        book.wrong((*path, "trigger"), message)
    if failover.mode == "none":
        return
    if not failover.pairs:
        book.wrong((*path, "pairs"), "names no region, so nothing fails over", value=None)
    if failover.mode == "manual" and not book.scenario.response.people:
        book.wrong((*path, "mode"), "a manual failover needs people (response.people)")
    if failover.approval is not None:
        book.role((*path, "approval"), failover.approval, "the failover is never approved")
        somebody_can_be_had(book, (*path, "approval"), failover.approval, "the failover is never approved")
    if failover.failback.enabled and failover.failback.approval is not None:
        book.role((*path, "failback", "approval"), failover.failback.approval, "the failback is never approved")
        somebody_can_be_had(book, (*path, "failback", "approval"), failover.failback.approval, "the failback is never approved")


def _pair(book: Book, path: Path, source: str, target: str) -> None:
    if source == target:
        book.wrong(path, "a region cannot take over from itself")
        return
    for name, needed_for in _needed(book, source).items():
        if not book.topology.instances_of(name, target):
            message = f"{target} cannot take over from {source}: service {name}, which {needed_for} needs, has no instance there"
            book.wrong(path, message)
    for name in book.scenario.policies.failover.databases or []:
        if name in book.system.databases:
            database = book.system.databases[name]
            moves = database.primary in book.topology.zones_of(source)
            if moves and not set(database.replicas) & set(book.topology.zones_of(target)):
                book.wrong(path, f"database {name} has no replica in {target} that could be promoted")


def _needed(book: Book, region: str) -> dict[str, str]:
    """Services of a region without which a class of requests fails, and the first such class."""
    found: dict[str, str] = {}
    for class_name, request_class in book.scenario.load.classes.items():
        for name in _required(book, request_class.entry, class_name):
            if book.topology.instances_of(name, region):
                found.setdefault(name, f"class {class_name}")
    return found


def _required(book: Book, entry: str, class_name: str) -> Iterator[str]:
    """The entry and all services that it needs, over required synchronous calls without a fallback."""
    seen: list[str] = []
    waiting = [entry]
    while waiting:
        name = waiting.pop(0)
        if name in seen or name not in book.system.services:
            continue
        seen.append(name)
        for call in book.topology.calls_of(name, class_name):
            kind, _, target = target_of(call.to).partition("/")
            if kind == "service" and call.required and call.mode == "sync" and call.fallback is None:
                waiting.append(target)
    return iter(seen)


def _promotion(book: Book, name: str, promotion: Promotion) -> None:
    path: Path = ("policies", "databases", name)
    if promotion.check is not None:
        if promotion.check.unhealthy is None and promotion.check.timeout is not None:
            message = "has no effect without `unhealthy`, the number of failed checks that drop a primary"
            book.wrong((*path, "check", "timeout"), message)
        if promotion.check.proxy is not None:
            book.known((*path, "check", "proxy"), promotion.check.proxy, book.scenario.system.services, "service")
        if promotion.route != type(promotion)().route:
            book.wrong((*path, "route"), "has no effect beside 'check': leave out one of them")
    if promotion.ask is not None and promotion.mode != "automatic":
        book.wrong((*path, "ask"), "has no effect where no machine promotes: only with mode automatic")
    for number, zone in enumerate(promotion.voters):
        book.known((*path, "voters", number), zone, book.topology.zones, "zone")
    if promotion.mode == "none":
        return
    if not book.system.databases[name].replicas:
        book.wrong((*path, "mode"), f"database {name} has no replica that could be promoted", value=promotion.mode)
    if promotion.heartbeat >= promotion.lease:
        book.wrong((*path, "heartbeat"), "must be shorter than the lease, or the lease runs out between two renewals")


def _degradation(book: Book, path: Path, degradation: Degradation) -> None:
    book.known((*path, "when"), degradation.when, book.system.services, "service")
    if degradation.restore_below >= degradation.above:
        book.wrong((*path, "restore_below"), "must be below 'above', or the call is switched on and off without end")
    caller, arrow, target = (part.strip() for part in degradation.disable.partition("->"))
    place = (*path, "disable")
    if not arrow:
        book.wrong(place, "must be '<service> -> <target>'", value=degradation.disable)
        return
    if not book.known(place, caller, book.system.services, "service"):
        return
    calls = [call for call in book.system.services[caller].calls if target_of(call.to) == target_of(target)]
    if not calls:
        called = [f"{caller} -> {call.to}" for call in book.system.services[caller].calls]
        book.wrong(place, f"{caller} does not call {target}", value=degradation.disable, candidates=called)
    elif all(call.required for call in calls):
        book.wrong(
            place,
            "is a required call: without it requests fail; only optional calls can be switched off",
            value=degradation.disable,
        )

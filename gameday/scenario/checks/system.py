"""Checks of the system: places, services, what they call, databases, queues, groups, traffic, money."""

from __future__ import annotations

from collections.abc import Collection
from math import isclose

from gameday.scenario.checks.book import Book
from gameday.scenario.checks.calling import check_calling
from gameday.scenario.checks.guards import check_cache, check_guards
from gameday.scenario.system import Database, Dependency, Service
from gameday.selectors import ELSEWHERE, INTERNET, Selector, SelectorError, target_of
from gameday.topology import Topology

SHARE_TOLERANCE = 1e-6
"""How far shares may be from 100%, for thirds written with a few digits."""

_RESERVED = frozenset({INTERNET, ELSEWHERE, "outside"})
Path = tuple[str | int, ...]


def check_system(book: Book) -> None:
    """Everything within `system`."""
    _places(book)
    _round_trips(book)
    for name, service in book.system.services.items():
        _service(book, name, service)
    for name, database in book.system.databases.items():
        _database(book, ("system", "databases", name), database)
        _witnesses(book, ("system", "databases", name), name, database)
    for name, queue in book.system.queues.items():
        book.known(("system", "queues", name, "consumer"), queue.consumer, book.system.services, "service")
    _traffic(book)
    _groups(book)
    classes = book.scenario.load.classes
    for name in book.system.gateway.rate_limits:
        book.known(("system", "gateway", "rate_limits", name), name, classes, "request class", of_key=True)
    for name in book.system.money.lost_request:
        book.known(("system", "money", "lost_request", name), name, classes, "request class", of_key=True)


def shares_sum(book: Book, path: Path, shares: list[float]) -> None:
    """Shares of a whole must sum to it."""
    total = sum(shares)
    if not isclose(total, 1.0, abs_tol=SHARE_TOLERANCE):
        book.wrong(path, f"the shares sum to {total * 100:.6g}% and must sum to 100%", of_key=True, value=None)


def _places(book: Book) -> None:
    seen: dict[str, str] = {}
    for name, region in book.system.regions.items():
        if name in _RESERVED:
            book.wrong(
                ("system", "regions", name), f"'{name}' has a meaning of its own in selectors: choose another name", of_key=True
            )
        for number, zone in enumerate(region.zones):
            path = ("system", "regions", name, "zones", number)
            if zone in seen:
                book.wrong(
                    path, f"there is a zone of this name already, in region {seen[zone]}; zone names are unique over all regions"
                )
            elif zone in book.system.regions:
                book.wrong(path, "a zone may not have the name of a region: selectors could not tell them apart")
            elif zone in _RESERVED:
                book.wrong(path, f"'{zone}' has a meaning of its own in selectors: choose another name")
            seen.setdefault(zone, name)


def _round_trips(book: Book) -> None:
    pairs: set[frozenset[str]] = set()
    for number, link in enumerate(book.system.network.links):
        path = ("system", "network", "links", number, "between")
        for end, region_name in enumerate(link.between):
            book.known((*path, end), region_name, book.system.regions, "region")
        pair = frozenset(link.between)
        if len(pair) == 1:
            book.wrong(path, "must name two different regions; inside a region it is network.same_region", value=None)
        elif pair in pairs:
            book.wrong(path, f"the round trip between {' and '.join(link.between)} is given already", value=None)
        pairs.add(pair)


def _service(book: Book, name: str, service: Service) -> None:
    path: Path = ("system", "services", name)
    if service.owner is not None:
        book.known((*path, "owner"), service.owner, book.scenario.response.teams, "team")
    if not isinstance(service.instances, int):
        for place in service.instances:
            places = [*book.system.regions, *book.topology.zones]
            book.known((*path, "instances", place), place, places, "zone or region", of_key=True)
        if not any(service.instances.values()):
            book.wrong((*path, "instances"), "must be at least 1 somewhere", value=None)
    if service.autoscaling is not None:
        _autoscaling(book, name, service)
    check_guards(book, path, service)
    for number, call in enumerate(service.calls):
        _call(book, (*path, "calls", number), call)


def _autoscaling(book: Book, name: str, service: Service) -> None:
    scaling = service.autoscaling
    assert scaling is not None, "asked only about services that scale"
    path: Path = ("system", "services", name, "autoscaling")
    most = max(book.topology.instances_in(name, zone) for zone in book.topology.zones)
    if scaling.max_per_zone < most:
        book.wrong((*path, "max_per_zone"), f"is below the {most} instances that the service starts with in a zone")
    if scaling.reserved and scaling.scarcity > 0:
        book.wrong((*path, "scarcity"), "has no effect while the capacity is reserved: set 'reserved: false' or leave it out")


def _call(book: Book, path: Path, call: Dependency) -> None:
    kind = _target(book, (*path, "to"), call.to, "service, database, provider or queue")
    if call.fallback is not None:
        fallback = _target(book, (*path, "fallback"), call.fallback, "service, database or provider")
        if fallback == "queue":
            book.wrong((*path, "fallback"), "a queue gives no answer; a fallback is a service, database or provider")
        elif target_of(call.fallback) == target_of(call.to) and call.read_from != "nearest":
            book.wrong((*path, "fallback"), "is what has just failed: name something else")
    check_cache(book, path, call, kind)
    for number, name in enumerate(call.classes or []):
        book.known((*path, "for", number), name, book.scenario.load.classes, "request class")
    if call.classes is not None and not call.classes:
        book.wrong((*path, "for"), "names no request class, so this call is never made", value=None)
    if kind == "database" and call.operation == "call":
        book.wrong((*path, "operation"), "a call to a database says whether it is a read or a write", value=None)
    elif kind is not None and kind != "database" and call.operation != "call":
        book.wrong((*path, "operation"), f"only databases are read and written, not a {kind}")
    elif call.read_from == "nearest" and call.operation != "read":
        book.wrong((*path, "read_from"), "only reads can go to the nearest copy; writes go to the primary")
    check_calling(book, path, call)


def _target(book: Book, path: Path, text: str, what: str) -> str | None:
    """The kind of what is called, when it is there."""
    kind, _, name = target_of(text).partition("/")
    tables: dict[str, Collection[str]] = {
        "service": book.system.services,
        "database": book.system.databases,
        "provider": book.system.providers,
        "queue": book.system.queues,
    }
    words = [*book.system.services, *(f"{each}/{word}" for each, table in tables.items() if each != "service" for word in table)]
    if kind not in tables:
        book.wrong(
            path, f"must be a {what}: <name>, database/<name>, provider/<name> or queue/<name>", value=text, candidates=words
        )
        return None
    if name in tables[kind]:
        return kind
    book.wrong(path, f"there is no such {kind}", value=text, candidates=words)
    return None


def _database(book: Book, path: Path, database: Database) -> None:
    zones = book.topology.zones
    if database.owner is not None:
        book.known((*path, "owner"), database.owner, book.scenario.response.teams, "team")
    book.known((*path, "primary"), database.primary, zones, "zone")
    for number, zone in enumerate(database.replicas):
        place = (*path, "replicas", number)
        if book.known(place, zone, zones, "zone") and zone in (database.primary, *database.replicas[:number]):
            book.wrong(place, "there is a node of this database in this zone already; a zone holds one")
    if database.replication != "asynchronous" and not database.replicas:
        book.wrong((*path, "replication"), f"{database.replication} replication needs a replica", value=database.replication)
    if database.consistency == "bounded" and database.staleness_limit is None:
        book.wrong((*path, "consistency"), "bounded consistency needs a staleness_limit")
    if database.consistency != "bounded" and database.staleness_limit is not None:
        book.wrong((*path, "staleness_limit"), f"has no effect on {database.consistency} consistency, only on bounded")
    if database.stale_after_s is None and database.refuse_stale_reads:
        book.wrong((*path, "refuse_stale_reads"), "has no effect where copies may be of any age")
    if database.age_by == "data" and not database.refuse_stale_reads:
        book.wrong(
            (*path, "age_by"), "has no effect where no read is refused for its age; that takes refuse_stale_reads", value="data"
        )


def _witnesses(book: Book, path: Path, name: str, database: Database) -> None:
    """Each at a node, or at a proxy that leads to the database; one a way."""
    seen: set[str] = set()
    for number, witness in enumerate(database.witnesses):
        place: Path = (*path, "witnesses", number)
        if (witness.node is None) == (witness.region is None):
            book.wrong(place, "a witness has either a node or a region", value=None)
        elif witness.node is not None:
            book.known((*place, "node"), witness.node, [database.primary, *database.replicas], "node of this database")
        elif witness.region is not None and book.known((*place, "region"), witness.region, book.system.regions, "region"):
            zones = book.topology.zones_of(witness.region)
            callers = [
                each
                for each, service in book.system.services.items()
                if any(call.to == f"database/{name}" for call in service.calls)
            ]
            if not any(book.topology.instances_in(caller, zone) for caller in callers for zone in zones):
                book.wrong((*place, "region"), "nobody there calls this database, so no proxy leads to it")
        if witness.via in seen:
            book.wrong(place, "there is such a witness already", value=None)
        seen.add(witness.via)


def _traffic(book: Book) -> None:
    origins = book.system.traffic.origins
    for name, origin in origins.items():
        book.known(("system", "traffic", "origins", name, "region"), origin.region, book.system.regions, "region")
    if origins:
        shares_sum(book, ("system", "traffic", "origins"), [origin.share for origin in origins.values()])


def _groups(book: Book) -> None:
    """Every member at its own place; what is wrong with a group in a group is told there."""
    reached = {name: _reached(book.topology, name) for name in book.system.groups}
    for name, members in book.system.groups.items():
        for number, text in enumerate(members):
            path = ("system", "groups", name, number)
            inner = _group_named(text, book.topology)
            if inner is not None and name in (inner, *reached[inner]):
                circle = " > ".join(dict.fromkeys((name, inner)))
                book.wrong(path, f"the group contains itself: {circle} > {name}", value=text)
            elif inner is None:
                book.selector(path, text)


def _reached(topology: Topology, group: str) -> list[str]:
    """All groups in a group and in those; the group itself only when it is in itself."""
    found: list[str] = []
    waiting = list(topology.system.groups[group])
    while waiting:
        name = _group_named(waiting.pop(), topology)
        if name is not None and name not in found:
            found.append(name)
            waiting += topology.system.groups[name]
    return found


def _group_named(text: str, topology: Topology) -> str | None:
    """The group a selector names, when it names one that exists."""
    try:
        selector = Selector.parse(text)
    except SelectorError:
        return None
    return selector.name if selector.kind == "group" and selector.name in topology.system.groups else None

"""The target file: where the real system of a live day is, and what of it may be touched.

The rule that surprises: it is refused as a whole when one address in it lies outside `allow`, so that nothing that reads a target can
reach a host that nobody allowed. It never holds a secret; it names environment variables that do.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from gameday.errors import BadInput, Problem
from gameday.scenario.base import Strict
from gameday.scenario.quantities import Duration, Ratio
from gameday.scenario.reading import read_yaml
from gameday.scenario.tree import Path as TreePath
from gameday.scenario.validation import Checks, validate

LOOPBACK = "127.0.0.0/8"


class Relay(Strict):
    """Proxies on a server that speaks Toxiproxy's HTTP API."""

    api: str
    """Address of the API, e.g. `http://127.0.0.1:8474`."""
    proxies: Annotated[list[str], Field(min_length=1)]
    """Names of the proxies."""


class Public(Strict):
    """The public name of the system."""

    name: str
    """The name clients ask for."""
    resolver: str | None = None
    """`address:port` of the DNS server that answers it; none = clients go to the entry of their region."""


class Route(Strict):
    """The request that stands for a class of the scenario."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] = "GET"
    """HTTP method."""
    path: str
    """Path; `{item}` becomes a number from 1 to `items`, `{id}` a new unique text."""
    body: dict[str, Any] | None = None
    """JSON body; the same replacements are made in its texts."""
    headers: dict[str, str] = {}
    """Further headers."""
    items: Annotated[int, Field(ge=1)] = 100
    """How many items there are."""


class Instance(Strict):
    """One instance of a service."""

    name: str
    """Its name."""
    zone: str
    """Zone of the scenario."""
    region: str
    """Region of the scenario."""
    url: str
    """Where it answers."""
    process: str | None = None
    """Name under which the supervisor knows it."""
    health: str = "/"
    """Path that answers with a status below 500 when it is well."""


class Gauges(Strict):
    """Where an instance says how busy it is, in Prometheus's text format."""

    path: str = "/metrics"
    """Path at the instance."""
    busy_seconds: str
    """Counter of the slot-seconds worked."""
    slots: str
    """Metric of the slots there are."""


class Feature(Strict):
    """An optional call of a service that it can be told to do without."""

    path: str
    """Path of a PUT at every instance ..."""
    off: dict[str, Any]
    """... with this JSON body to do without it ..."""
    on: dict[str, Any]
    """... and this one to make it again."""


class Slots(Strict):
    """How an instance is told on how many requests it may work at once."""

    path: str
    """Path of a GET that answers a JSON mapping, and of a PUT that takes one."""
    field: str
    """Its field with the number."""


class Service(Strict):
    """A service of the scenario."""

    instances: Annotated[list[Instance], Field(min_length=1)]
    """Its instances, in the order of the scenario's indices within a zone."""
    gauges: Gauges | None = None
    """How busy they are; what `policies.degradation` watches."""
    slots: Slots | None = None
    """How their capacity is taken away (`capacity`)."""
    features: dict[str, Feature] = {}
    """What they can do without, by the name of what is called; what `policies.degradation` switches."""


class RuntimeKeys(Strict):
    """Keys of Envoy's runtime through which its fault filter is steered."""

    abort: str | None = None
    """Percentage of requests that are answered with an error."""
    delay: str | None = None
    """Percentage of requests that are delayed."""
    delay_ms: str | None = None
    """Length of the delay, milliseconds."""


class Gateway(Strict):
    """An Envoy in front of a region."""

    service: str = "gateway"
    """The scenario's service that it is."""
    zone: str | None = None
    """Zone it is in."""
    process: str | None = None
    """Name under which the supervisor knows it."""
    admin: str | None = None
    """Envoy's administration interface."""
    runtime: dict[str, RuntimeKeys] = {}
    """Per service behind it: runtime keys of its fault filter."""


class Node(Strict):
    """One node of a database."""

    name: str
    """Its name."""
    zone: str
    """Zone of the scenario."""
    region: str
    """Region of the scenario."""
    dsn: str
    """libpq connection string, without a password (PGPASSWORD or a service file holds it)."""
    patroni: str | None = None
    """Patroni's REST interface."""
    process: str | None = None
    """Name under which the supervisor knows it."""
    postgres: dict[str, Any] = {}
    """Facts about the server, for people."""


class Link(Strict):
    """A direction between two places."""

    toxiproxy: Relay
    """Relays that carry it."""


class CopyReads(Strict):
    """A request whose answer says whether it came from the copy of the region it was asked in."""

    service: str
    """Service that is asked, at an instance in the region."""
    path: str
    """Path of a GET."""
    field: str
    """Field of the JSON answer ..."""
    copy_word: str
    """... and what it says when the region's own copy was read."""


class Database(Strict):
    """A database of the scenario."""

    scope: str | None = None
    """Patroni's name of the cluster."""
    nodes: Annotated[list[Node], Field(min_length=1)]
    """Its nodes."""
    replication: Link | None = None
    """Relays that carry the stream of changes between its nodes."""
    copy_reads: CopyReads | None = None
    """How to find out whether users are given what a copy says; without it nobody counts stale reads."""
    gateway_dsn: dict[str, str] = {}
    """Region to the connection string that follows the primary."""


class Consensus(Strict):
    """A consensus store."""

    url: str
    """Client address."""
    process: str | None = None
    """Name under which the supervisor knows it."""


class Provider(Strict):
    """A third party."""

    url: str | None = None
    """Where it answers."""
    process: str | None = None
    """Name under which the supervisor knows it."""
    control: str | None = None
    """Where it can be told how to behave, for people."""
    toxiproxy: Relay | None = None
    """Relay in front of it."""


class Dns(Strict):
    """A DNS server that can be told what to answer."""

    control: str
    """Its HTTP interface."""


class Limits(Strict):
    """The largest blast that is allowed on this target."""

    service_share: Ratio = 0.5
    """Share of a service's instances, or of a database's nodes, that may be hit at once."""
    concurrent: Annotated[int, Field(ge=1)] = 2
    """Faults in place at once."""
    longest: Duration = 900.0
    """Length of one fault."""


class Guards(Strict):
    """When a running day is stopped."""

    good_below: Ratio = 0.05
    """Share of good answers of a critical class below which the day is stopped ..."""
    lasting: Duration = Field(default=120.0, alias="for")
    """... when it stays there so long."""
    lost_requests: Annotated[int, Field(ge=1)] | None = None
    """Error budget: requests that may be lost in all."""
    silent: Duration = 15.0
    """Time without data after which a source counts as a breach."""
    recover_within: Duration = 60.0
    """Time after healing in which the steady state must be back."""


class Target(Strict):
    """A system that a live day may break."""

    target: Annotated[int, Field(ge=1, le=1)]
    """Version of the format: 1."""
    name: str
    """Name."""
    allow: list[str] = [LOOPBACK]
    """Networks and host names that may be touched."""
    public: Public | None = None
    """The public name."""
    entries: Annotated[dict[str, str], Field(min_length=1)]
    """Region to the address of its entry."""
    routes: Annotated[dict[str, Route], Field(min_length=1)]
    """Request class of the scenario to the request that stands for it."""
    services: dict[str, Service] = {}
    """Services by the scenario's names."""
    gateways: dict[str, Gateway] = {}
    """Region to its gateway."""
    databases: dict[str, Database] = {}
    """Databases by the scenario's names."""
    consensus: dict[str, Consensus] = {}
    """Consensus stores."""
    providers: dict[str, Provider] = {}
    """Third parties by the scenario's names."""
    links: dict[str, Link] = {}
    """`<from>-><to>` to its relays; places are zones or regions."""
    dns: Dns | None = None
    """DNS control."""
    supervisor: str | None = None
    """HTTP interface that kills, restarts, freezes and resumes processes."""
    token_env: str = "GAMEDAY_LAB_TOKEN"  # noqa: S105 - a name, no token
    """Environment variable with the supervisor's token."""
    token_file: str = "token"  # noqa: S105 - a name, no token
    """File with the token, where the variable is not set; relative to the target file."""
    prometheus: str | None = None
    """Address of Prometheus."""
    alertmanager: str | None = None
    """Address of Alertmanager."""
    limits: Limits = Limits()
    """The largest blast allowed."""
    guards: Guards = Guards()
    """When a running day is stopped."""
    file: str = ""
    """Where it was read from; filled in by the reader."""

    def token(self) -> str | None:
        """The supervisor's token, from the environment or the file; None where there is neither."""
        found = os.environ.get(self.token_env)
        if found:
            return found
        path = Path(self.file).parent / self.token_file
        try:
            return path.read_text(encoding="utf-8").strip() or None
        except OSError:
            return None


def read_target(path: Path | str) -> Target:
    """Read and check a target file; a bare name means the lab of that name. BadInput with all problems and their lines."""
    file = target_file(path)
    document = read_yaml(file)
    target = validate(Target, document).model_copy(update={"file": str(file.resolve())})
    checks = Checks(document)
    for place, address in addresses(target):
        problem = _not_allowed(address, target.allow)
        if problem:
            checks.problem(place, problem)
    checks.raise_if_any()
    return target


def target_file(path: Path | str) -> Path:
    """The file a user means: a path, the name of a lab started here, or `lab` for the one that was given no name."""
    given = Path(path)
    if given.suffix in {".yaml", ".yml"} or given.is_file():
        return given
    lab = Path(".lab") / given / "target.yaml"
    if str(given) == "lab" and not lab.is_file():
        lab = Path(".lab") / "default" / "target.yaml"
    if lab.is_file():
        return lab
    message = f"is neither a file nor a lab that is up ({lab} is not there); start one with 'gameday lab up'"
    raise BadInput([Problem(str(path), None, None, "--target", None, message)])


def addresses(target: Target) -> Iterator[tuple[TreePath, str]]:
    """Every address in a target, with its place in the file."""
    for field, value in target.model_dump(by_alias=True).items():
        if field not in {"file", "allow", "token_env", "token_file", "name", "routes", "limits", "guards"}:
            yield from _addresses((field,), value)


def _addresses(path: TreePath, value: Any) -> Iterator[tuple[TreePath, str]]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _addresses((*path, key), each)
    elif isinstance(value, list):
        for position, each in enumerate(value):
            yield from _addresses((*path, position), each)
    elif isinstance(value, str) and ("://" in value or path[-1] == "resolver" or path[-1] == "dsn" or "gateway_dsn" in path):
        yield path, value


def host_of(address: str) -> str:
    """The host of a URL, a connection string or `address:port`; empty where there is none."""
    if "://" in address:
        return urlsplit(address).hostname or ""
    if "=" in address:
        parts = dict(part.split("=", 1) for part in address.split() if "=" in part)
        return parts.get("host", parts.get("hostaddr", ""))
    return address.rpartition(":")[0]


def _not_allowed(address: str, allow: list[str]) -> str | None:
    """Why an address may not be touched, or None."""
    if "password" in address.lower() or "@" in address.partition("?")[0].partition("//")[2].partition("/")[0]:
        return "holds a password; give it in the environment (PGPASSWORD) instead"
    hosts = [host for host in host_of(address).split(",") if host]
    if not hosts:
        return "names no host"
    outside = [host for host in hosts if not _is_allowed(host, allow)]
    return f"lies outside of what `allow` lists: {', '.join(outside)}" if outside else None


def _is_allowed(host: str, allow: list[str]) -> bool:
    """A host that is listed by name, or an address in a listed network; nothing is resolved, for names may change their address."""
    if host in allow:
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    for each in allow:
        try:
            if address in ipaddress.ip_network(each, strict=False):
                return True
        except ValueError:
            continue
    return False

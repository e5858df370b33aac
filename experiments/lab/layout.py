"""Who lives where: every node of the lab has an address of its own in 127.0.0.0/8, derived from one number, the lab's block.

The rule that surprises: a node of one region reaches another place only through an address of the link between them. `127.<block>.12.31`
is the node 31 of region 2 as region 1 sees it, and the relay listens there; cutting a link cuts exactly what crosses it.
"""

from __future__ import annotations

import socket
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

PUBLIC_NAME: Final = "shop.lab"
REGIONS: Final = {"eu-1": 1, "eu-2": 2}
"""Regions and the third part of their addresses."""
WITNESS: Final = 3
"""The place of the consensus store: neither region, so that losing one leaves it standing."""
OUTSIDE: Final = 9
"""Where users, the payment provider, name resolution, relay and supervisor are."""
SERVICES: Final = {"checkout": (20, 8081), "catalog": (40, 8082), "recommendations": (60, 8083)}
"""Services: the first instance's last part of the address minus one, and the port."""
INSTANCES: Final = 2
"""Instances of each service per region."""

GATEWAY_PORT: Final = 8080
GATEWAY_ADMIN_PORT: Final = 9901
POSTGRES_PORT: Final = 5432
PATRONI_PORT: Final = 8008
ETCD_PORT: Final = 2379
ETCD_PEER_PORT: Final = 2380
PAYMENTS_PORT: Final = 8090
RELAY_PORT: Final = 8474
DNS_PORT: Final = 5300
DNS_CONTROL_PORT: Final = 8053
SUPERVISOR_PORT: Final = 8470
PROMETHEUS_PORT: Final = 9090
ALERTMANAGER_PORT: Final = 9093

FIRST_BLOCK: Final = 10
LAST_BLOCK: Final = 249
"""127.10.x.x to 127.249.x.x: clear of 127.0.0.1, of 127.0.1.1 (Debian's host name) and of 127.0.0.53 (systemd-resolved)."""


@dataclass(frozen=True, slots=True)
class Link:
    """One relayed connection: who is reached (`target`) and where its callers dial (`listen`)."""

    name: str
    """`<target node>@<place it is reached from>`."""
    link: str
    """`<from>-><to>`; from a region, `users` or `database`."""
    listen: tuple[str, int]
    target: tuple[str, int]


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance of a service; its name is its process's name."""

    name: str
    service: str
    region: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The addresses of the lab in one block."""

    block: int

    def host(self, place: int, node: int) -> str:
        """Address of a node of a place (a region's number, `WITNESS`, `OUTSIDE`, or two of them for a link)."""
        return f"127.{self.block}.{place}.{node}"

    def zone(self, region: str) -> str:
        """The one zone of a region."""
        return f"{region}a"

    def other(self, region: str) -> str:
        """The region that is not this one."""
        (other,) = (name for name in REGIONS if name != region)
        return other

    # -- nodes ----------------------------------------------------------------------------------------------------------

    def gateway(self, region: str) -> str:
        """Address of the region's Envoy, where its services and the database's entry are reached from inside the region."""
        return self.host(REGIONS[region], 10)

    def entry(self, region: str) -> str:
        """Address at which users reach the region's gateway, through the link `users-><region>`."""
        return self.host(OUTSIDE * 10 + REGIONS[region], 10)

    def database(self, region: str) -> str:
        """Address of the region's PostgreSQL node (Patroni's too)."""
        return self.host(REGIONS[region], 31)

    def database_from(self, region: str, seen_from: str) -> str:
        """Where `seen_from` reaches the database node of `region`."""
        if region == seen_from:
            return self.database(region)
        return self.host(REGIONS[seen_from] * 10 + REGIONS[region], 31)

    def etcd_from(self, region: str) -> str:
        """Where a region reaches the consensus store."""
        return self.host(REGIONS[region] * 10 + WITNESS, 40)

    def payments_from(self, region: str) -> str:
        """Where a region reaches the payment provider."""
        return self.host(REGIONS[region] * 10 + OUTSIDE, 1)

    @property
    def etcd(self) -> str:
        """Address of the consensus store."""
        return self.host(WITNESS, 40)

    @property
    def payments(self) -> str:
        """Address of the payment provider."""
        return self.host(OUTSIDE, 1)

    @property
    def supervisor(self) -> str:
        """Address of the supervisor."""
        return self.host(OUTSIDE, 8)

    @property
    def relay(self) -> str:
        """Address of the relay's control API."""
        return self.host(OUTSIDE, 9)

    @property
    def monitoring(self) -> str:
        """Address of Prometheus and Alertmanager."""
        return self.host(OUTSIDE, 10)

    @property
    def dns(self) -> str:
        """Address of the name server."""
        return self.host(OUTSIDE, 53)

    def instances(self, service: str, region: str) -> list[Instance]:
        """The instances of a service in a region."""
        node, port = SERVICES[service]
        return [
            Instance(f"{service}-{self.zone(region)}-{number}", service, region, self.host(REGIONS[region], node + number), port)
            for number in range(1, INSTANCES + 1)
        ]

    def instance_from(self, instance: Instance, seen_from: str) -> str:
        """Where a region reaches an instance."""
        if instance.region == seen_from:
            return instance.host
        return self.host(REGIONS[seen_from] * 10 + REGIONS[instance.region], int(instance.host.rpartition(".")[2]))

    def all_instances(self) -> list[Instance]:
        """Every instance of every service."""
        return [one for service in SERVICES for region in REGIONS for one in self.instances(service, region)]

    # -- links ----------------------------------------------------------------------------------------------------------

    def links(self) -> list[Link]:
        """Every connection that crosses from one place into another."""
        found = []
        for region in REGIONS:
            other = self.other(region)
            across = f"{region}->{other}"
            found.append(
                Link(
                    f"gateway-{region}@users",
                    f"users->{region}",
                    (self.entry(region), GATEWAY_PORT),
                    (self.gateway(region), GATEWAY_PORT),
                )
            )
            for service in SERVICES:
                found += [
                    Link(f"{one.name}@{region}", across, (self.instance_from(one, region), one.port), (one.host, one.port))
                    for one in self.instances(service, other)
                ]
            for kind, port in (("postgres", POSTGRES_PORT), ("patroni", PATRONI_PORT)):
                found.append(
                    Link(
                        f"{kind}-{self.zone(other)}@{region}",
                        across,
                        (self.database_from(other, region), port),
                        (self.database(other), port),
                    )
                )
            found.append(
                Link(f"etcd@{region}", f"{region}->witness", (self.etcd_from(region), ETCD_PORT), (self.etcd, ETCD_PORT))
            )
            found.append(
                Link(
                    f"payments@{region}",
                    f"{region}->payments",
                    (self.payments_from(region), PAYMENTS_PORT),
                    (self.payments, PAYMENTS_PORT),
                )
            )
        return found

    # -- free or taken --------------------------------------------------------------------------------------------------

    def sockets(self) -> list[tuple[str, int]]:
        """Every TCP socket the lab listens on."""
        own = [(one.host, one.port) for one in self.all_instances()]
        for region in REGIONS:
            own += [(self.gateway(region), port) for port in (GATEWAY_PORT, GATEWAY_ADMIN_PORT, POSTGRES_PORT)]
            own += [(self.database(region), port) for port in (POSTGRES_PORT, PATRONI_PORT)]
        own += [
            (self.etcd, ETCD_PORT),
            (self.etcd, ETCD_PEER_PORT),
            (self.payments, PAYMENTS_PORT),
            (self.supervisor, SUPERVISOR_PORT),
            (self.relay, RELAY_PORT),
            (self.dns, DNS_CONTROL_PORT),
            (self.monitoring, PROMETHEUS_PORT),
            (self.monitoring, ALERTMANAGER_PORT),
        ]
        return own + [link.listen for link in self.links()]

    def is_free(self) -> bool:
        """Whether nobody listens on any of them."""
        with ExitStack() as held:
            for address in self.sockets():
                probe = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(address)
                except OSError:
                    return False
        return True

"""What a selector of the scenario is in the target: processes, relays, nodes. What cannot be found is refused by name.

The rule that surprises: `database/<name>/primary` is asked of the databases at the moment it is pinned, and stays that node until
it is healed, wherever the primary moves meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from experiments.adapters.patroni import the_primary
from gameday.errors import GamedayError, nearest
from gameday.resources import DependencyRef, InstanceRef, LinkRef, NodeRef, ProviderRef, Ref
from gameday.scenario.model import Scenario
from gameday.selectors import INTERNET, Selector
from gameday.target import Database, Gateway, Instance, Link, Node, Relay, Target
from gameday.topology import Topology

USERS = "users"
"""What a target may call the end of a link that a scenario calls the internet."""


class NotInTarget(GamedayError):  # noqa: N818 - it reads as a sentence
    """The target file does not say where something of the scenario is."""


@dataclass(frozen=True)
class Inventory:
    """A scenario's system laid over a target."""

    scenario: Scenario
    target: Target

    @property
    def topology(self) -> Topology:
        """The scenario's system."""
        return Topology(self.scenario.system)

    def pin(self, selector: Selector) -> Selector:
        """A selector that means the same thing until the end of the day."""
        if selector.kind != "database" or selector.role is None:
            return selector
        database = self._database(selector.name)
        primary = the_primary(selector.name, database)
        if selector.role == "primary":
            return Selector.parse(f"database/{selector.name}@{primary.zone}")
        others = [node for node in database.nodes if node is not primary]
        if len(others) != 1:
            raise NotInTarget(f"{selector} is {len(others)} nodes; name one: database/{selector.name}@<zone>")
        return Selector.parse(f"database/{selector.name}@{others[0].zone}")

    def refs(self, selector: Selector) -> frozenset[Ref]:
        """The single things in a selector. SelectorError when there are none."""
        return self.topology.resolve(selector)

    def processes(self, selector: Selector) -> tuple[str, ...]:
        """Names of the processes in a selector; a place is everything that runs there."""
        found: dict[str, None] = {}
        for ref in sorted(self.refs(selector), key=str):
            name = self._process(ref, selector)
            if name is not None:
                found[name] = None
        if not found:
            raise NotInTarget(f"the target names no process for {selector}")
        return tuple(found)

    def throttled(self, selector: Selector) -> tuple[str, ...]:
        """Names of the processes in a selector that can be given a share of the processor: instances, and no database node."""
        others = sorted(str(ref) for ref in self.refs(selector) if not isinstance(ref, InstanceRef))
        if others:
            what = "only instances of services can be given less of the processor (a database is many processes, each a group of its own)"
            raise NotInTarget(f"{what}, and {selector} has {', '.join(others)}")
        return self.processes(selector)

    def relays(self, selector: Selector) -> tuple[tuple[str, str], ...]:
        """(API, proxy) of the relays on a link, a dependency or in front of a provider."""
        refs = self.refs(selector)
        found: dict[tuple[str, str], None] = {}
        for ref in sorted(refs, key=str):
            for relay in self._relays_of(ref, refs):
                for proxy in relay.proxies:
                    found[relay.api, proxy] = None
        if not found:
            raise NotInTarget(f"the target names no relay for {selector}")
        return tuple(found)

    def node(self, ref: NodeRef) -> Node:
        """A database node."""
        for node in self._database(ref.database).nodes:
            if node.zone == ref.zone:
                return node
        raise NotInTarget(f"the target has no node of database/{ref.database} in zone {ref.zone}")

    def nodes(self, selector: Selector) -> tuple[Node, ...]:
        """The database nodes in a selector."""
        refs = [ref for ref in self.refs(selector) if isinstance(ref, NodeRef)]
        if not refs:
            raise NotInTarget(f"{selector} names no database node")
        return tuple(self.node(ref) for ref in sorted(refs, key=str))

    def agents(self, selector: Selector) -> tuple[str, ...]:
        """Names of the processes of the cluster managers beside the database nodes in a selector."""
        nodes = self.nodes(selector)
        without = [node.name for node in nodes if node.patroni is None or node.process is None]
        if without:
            raise NotInTarget(f"the target names no patroni and no process of {', '.join(without)}")
        return tuple(str(node.process) for node in nodes)

    def instance(self, ref: InstanceRef) -> Instance | None:
        """An instance of a service; None where it is a gateway."""
        service = self.target.services.get(ref.service)
        if service is None:
            return None
        here = [one for one in service.instances if one.zone == ref.zone]
        if ref.index >= len(here):
            raise NotInTarget(f"the target has {len(here)} instances of {ref.service} in {ref.zone}, and {ref} is asked for")
        return here[ref.index]

    def bounded(self, selector: Selector) -> tuple[tuple[str, str], ...]:
        """(URL of the control, service) of the instances in a selector whose number of slots can be set."""
        found: dict[tuple[str, str], None] = {}
        for ref in sorted(self.refs(selector), key=str):
            instance = self.instance(ref) if isinstance(ref, InstanceRef) else None
            hands = self.target.services[ref.service].slots if isinstance(ref, InstanceRef) and instance is not None else None
            if instance is None or hands is None or not isinstance(ref, InstanceRef):
                raise NotInTarget(f"the target does not say how slots are taken from {ref}")
            found[instance.url + hands.path, ref.service] = None
        return tuple(found)

    def gateway(self, ref: InstanceRef) -> tuple[str, Gateway] | None:
        """Region and gateway that an instance of an entry service is."""
        region = self.topology.region_of(ref.zone)
        found = self.target.gateways.get(region)
        return (region, found) if found is not None and found.service == ref.service else None

    def _process(self, ref: Ref, selector: Selector) -> str | None:
        if isinstance(ref, InstanceRef):
            gateway = self.gateway(ref)
            instance = None if gateway else self.instance(ref)
            name = gateway[1].process if gateway else instance.process if instance else None
        elif isinstance(ref, NodeRef):
            name = self.node(ref).process
        elif isinstance(ref, ProviderRef):
            provider = self.target.providers.get(ref.provider)
            name = provider.process if provider else None
        else:
            return None
        if name is None:
            raise NotInTarget(
                f"the target names no process for {ref}" + (f", which is in {selector}" * (str(ref) != str(selector)))
            )
        return name

    def _relays_of(self, ref: Ref, together: frozenset[Ref]) -> Iterable[Relay]:
        if isinstance(ref, ProviderRef):
            return self._provider_relays(ref.provider)
        if isinstance(ref, DependencyRef):
            return self._dependency_relays(ref)
        if isinstance(ref, LinkRef):
            return self._link_relays(ref, together)
        return ()

    def _provider_relays(self, name: str) -> Iterable[Relay]:
        provider = self.target.providers.get(name)
        if provider is None or provider.toxiproxy is None:
            raise NotInTarget(f"the target names no relay for provider/{name}")
        return (provider.toxiproxy,)

    def _dependency_relays(self, ref: DependencyRef) -> Iterable[Relay]:
        kind, _, name = ref.target.partition("/")
        if kind != "provider" or self.topology.callers_of(ref.target) != (ref.service,):
            raise NotInTarget(f"the target names no relay that carries only {ref}")
        return self._provider_relays(name)

    def _link_relays(self, ref: LinkRef, together: frozenset[Ref]) -> Iterable[Relay]:
        """A relay carries connections, which go both ways: a direction in which none is opened is cut with the opposite one."""
        link = self._link(ref)
        if link is not None:
            return (link.toxiproxy,)
        back = LinkRef(ref.target_zone, ref.source_zone)
        if back in together and self._link(back) is not None:
            return ()
        raise NotInTarget(f"the target names no relay for {ref}")

    def _link(self, ref: LinkRef) -> Link | None:
        names = (f"{near}->{far}" for near in self._places(ref.source_zone) for far in self._places(ref.target_zone))
        return next((self.target.links[name] for name in names if name in self.target.links), None)

    def _places(self, zone: str) -> tuple[str, ...]:
        """What a target may call a place: a zone or its region, a provider by its name, the internet by who is there."""
        if zone == INTERNET:
            return (INTERNET, USERS)
        if zone in self.topology.zones:
            return (zone, self.topology.region_of(zone))
        return (zone, zone.removeprefix("provider/"))

    def _database(self, name: str) -> Database:
        found = self.target.databases.get(name)
        if found is None:
            meant = nearest(name, self.target.databases)
            raise NotInTarget(f"the target has no database '{name}'" + (f"; did you mean '{meant}'?" if meant else ""))
        return found

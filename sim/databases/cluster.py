"""One replicated database: what can be done to its nodes, and what is true of them now.

The parts are `replication` (copies and commits), `leases` (automatic failover), `promotion` (changes of leadership), `routing`
(where callers go) and `writes` (the count). The rule that surprises: every change goes through `changed()`, which settles what
was true until now before anything is judged by what is true from now on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gameday.scenario.policies import Promotion
from gameday.scenario.system import Database
from sim.databases.leases import Leases
from sim.databases.nodes import Node, Term
from sim.databases.promotion import Succession
from sim.databases.replication import Replication
from sim.databases.routing import Router
from sim.databases.witnesses import Witnesses
from sim.databases.writes import Writes
from sim.processes import Process
from sim.traffic.changes import SetStation

if TYPE_CHECKING:
    from sim.world import World

LOOK_EVERY_S = 1.0
"""Interval at which slow changes (lag, extra latency of links) are looked at; all others are acted on at once."""
DROP_EVERY_S = 60.0
"""Interval at which writes that every node has are dropped."""


class Cluster:
    """A database with its nodes. Zones name nodes."""

    def __init__(self, world: World, name: str, database: Database, promotion: Promotion | None) -> None:
        """Without a promotion policy people may still promote, with its default times."""
        self.world = world
        self.name = name
        self.subject = f"database/{name}"
        self.database = database
        self.policy = promotion or Promotion(mode="manual")
        self.draws = world.streams.draws(self.subject)
        self.current = Term(1, database.primary, started_s=0.0)
        """The newest leadership that has begun to take writes: its history is the one that counts."""
        self.terms = [self.current]
        stations = world.wiring.nodes[name]
        self.nodes = {zone: Node(zone, station, self.current) for zone, station in stations.items()}
        self.leader.leads = True
        self.replication = Replication(self)
        self.writes = Writes(self)
        self.leases = Leases(self)
        self.succession = Succession(self)
        self.router = Router(self)
        self.witnesses = Witnesses(self)
        self._primaries = -1
        self.calm = False
        """Whether time alone changes nothing before the next change but how far copies are."""
        self.settled = False
        """Whether it does not even change that, so that there is nothing to look at meanwhile."""
        self._limit_s = database.stale_after_s
        self._is_read = any(world.wiring.edges[edge].operation == "read" for edge in world.wiring.edges_to(self.subject))
        world.listeners.append(self._on_world)

    # -- what is true ---------------------------------------------------------------------------------------------------

    @property
    def leader(self) -> Node:
        """The leader of the history that counts, whether it runs or not."""
        return self.nodes[self.current.leader]

    @property
    def primary(self) -> str | None:
        """Zone of the newest primary; it keeps the name while it is down and nobody has been promoted."""
        return self.current.leader

    @property
    def moving(self) -> bool:
        """Whether a promotion is under way."""
        return any(node.electing is not None for node in self.nodes.values())

    def lag_s(self) -> float | None:
        """Largest lag of a replica in seconds; None without replicas."""
        return max((self.replication.behind_s(node) for node in self.nodes.values() if node is not self.leader), default=None)

    def lag_of(self, zone: str) -> float | None:
        """Lag of one node in seconds; None for the primary."""
        node = self.nodes[zone]
        return None if node is self.leader else self.replication.behind_s(node)

    def writable(self) -> list[str]:
        """Zones whose node would commit a write now; more than one is a split brain."""
        return [node.zone for node in self.nodes.values() if node.writable]

    def known_lost_writes(self) -> int:
        """Acknowledged writes that the current history does not have, up to now."""
        return self.writes.losses().lost

    # -- life -----------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the cluster's processes."""
        self.changed()
        self.leases.start()
        self.world.env.look(self.replication.redraw())
        self.world.env.look(self._look())
        self.world.env.look(self._drop())
        self.witnesses.start()

    def finish(self) -> None:
        """Write the count of the writes at the end of the run."""
        self.writes.count_stale_reads()
        self.world.record("writes.summary", self.subject, **self.writes.summary())

    def _look(self) -> Process:
        while True:
            yield self.world.env.timeout(LOOK_EVERY_S if self.settled else min(LOOK_EVERY_S, self._next_stale_s()))
            if self.settled:
                continue
            if self.calm:
                self._pass_time()
                continue
            self.changed()
            if self._primaries != 1:
                self._sample_primaries()

    def _drop(self) -> Process:
        while True:
            yield self.world.env.timeout(DROP_EVERY_S)
            self.writes.drop()

    def wake_in(self, seconds: float) -> None:
        """Look again after exactly that time."""
        self.world.env.process(self._wake(seconds))

    def _wake(self, seconds: float) -> Process:
        yield self.world.env.timeout(seconds)
        self.changed()

    def changed(self) -> None:
        """Settle the past, then let everything follow from what is true now."""
        self.replication.advance()
        self.succession.follow()
        self.replication.refresh()
        self._mark_quiet()
        self._mark_stale()
        for node in self.nodes.values():
            self._apply(node)
        self._record_roles()
        if self.writes.note_writable() != self._primaries:
            self._sample_primaries()
        self.router.update()
        waits = self._primaries != 1 or self.leader.quiet_s is not None or self.moving
        self.calm = not waits and self.database.replication == "asynchronous"
        self.settled = self.calm and self._is_settled()

    def _pass_time(self) -> None:
        """What `changed` does where time alone has passed in a calm cluster."""
        self.replication.advance()
        self._mark_stale()
        for node in self.nodes.values():
            self._apply(node)
        self.calm, self.settled = True, self._is_settled()

    def _is_settled(self) -> bool:
        """Whether every copy follows its leader by its lag, or stands still for good."""
        limit_s = self._limit_s if self._is_read else None
        for node in self.nodes.values():
            if node is self.leader:
                continue
            if node.linked:
                if node.term is not self.current or not self.replication.follows(node, limit_s):
                    return False
            elif limit_s is not None and not node.stale:
                return False
        return True

    def _mark_quiet(self) -> None:
        for node in self.nodes.values():
            takes = node.serving and node.accepts and not node.disks
            node.quiet_s = None if takes else self.world.env.now if node.quiet_s is None else node.quiet_s

    def _apply(self, node: Node) -> None:
        """Tell the traffic engine what has changed about a node.

        Commits of a node that is not primary are blocked, so that work it had in hand when it was fenced is never committed.
        """
        wanted: dict[str, bool | float] = {
            "read_only": not node.accepts or node.disks > 0,
            "commit_blocked": not node.accepts or node.blocked,
            "commit_delay_s": node.commit_delay_s if node.leads else 0.0,
            "stale": node.stale and self.database.refuse_stale_reads and (not node.leads or self.database.age_by == "data"),
        }
        if wanted == node.applied:
            return
        if wanted["stale"] != node.applied.get("stale", False):
            self.writes.count_stale_reads()
        self.world.apply(
            SetStation(
                node.station,
                read_only=bool(wanted["read_only"]),
                commit_blocked=bool(wanted["commit_blocked"]),
                commit_delay_s=wanted["commit_delay_s"],
                stale=bool(wanted["stale"]),
            )
        )
        node.applied = wanted

    # -- staleness ------------------------------------------------------------------------------------------------------

    def _mark_stale(self) -> None:
        """A copy older than the declared limit is stale; reads are counted when that changes, and at the end."""
        if self._limit_s is None or not self._is_read:
            return
        stale = {
            node.zone: node is not self.leader and self.replication.behind_s(node) > self._limit_s for node in self.nodes.values()
        }
        if any(node.stale != stale[node.zone] for node in self.nodes.values()):
            self.writes.count_stale_reads()
        for node in self.nodes.values():
            if node.stale != stale[node.zone]:
                node.stale = stale[node.zone]
                self._record_lag(node)

    def _next_stale_s(self) -> float:
        """Time until a copy that stands still, or catches up, crosses the limit."""
        ahead = [LOOK_EVERY_S]
        for node in self.nodes.values():
            if self._limit_s is None or not self._is_read or node is self.leader or node.synced:
                continue
            if node.linked and self._limit_s <= self.replication.lag_s(node):
                continue
            pace = -self.database.catch_up if node.linked else 0.0
            pace += 1.0 if self.leader.quiet_s is None else 0.0
            left = self._limit_s - self.replication.behind_s(node)
            if pace and left / pace > 0.0:
                ahead.append(left / pace + 1e-6)
        return min(ahead)

    # -- the record -----------------------------------------------------------------------------------------------------

    def _record_roles(self) -> None:
        for node in self.nodes.values():
            role = self._role(node)
            if role != node.role:
                first, node.role = not node.role, role
                self.world.record("database.role", self.subject, node=node.zone, role=role)
                if not first and role != "primary":
                    self._record_lag(node)

    @staticmethod
    def _role(node: Node) -> str:
        if not node.up:
            return "down"
        if node.out or node.fence:
            return "fenced"
        return "primary" if node.leads else "replica"

    def _record_lag(self, node: Node) -> None:
        lag_s = self.lag_of(node.zone)
        if lag_s is not None:
            self.world.record("database.lag", self.subject, node=node.zone, lag_s=lag_s)

    def _sample_primaries(self) -> None:
        self._primaries = len(self.writable())
        self.world.recorder.sample("database.primaries", self.world.env.now, float(self._primaries), database=self.name)

    def step(self, step: str, outcome: str, took_s: float) -> None:
        """Put a step of this database's own failover on record."""
        self.world.record("failover.step", self.subject, failover=self.subject, step=step, outcome=outcome, took_s=took_s)

    def failed(self, step: str, why: str) -> None:
        """Put on record that a failover of this database stopped."""
        self.world.record("failover.failed", self.subject, failover=self.subject, step=step, why=why)

    def completed(self, zone: str) -> None:
        """Put on record that callers have reached the new primary."""
        self.world.record("failover.completed", self.subject, failover=self.subject, to=zone)

    # -- what happens to nodes ------------------------------------------------------------------------------------------

    def on_node(self, what: str, zone: str) -> None:
        """A node went down or came up, was frozen or resumed (`node.down`, `node.up`, `node.frozen`, `node.resumed`)."""
        self.replication.advance()
        node = self.nodes[zone]
        if what == "node.down":
            node.up = False
            node.leads, node.fence = False, "" if node.fence == "watchdog" else node.fence
        elif what == "node.up":
            node.up = True
            self.leases.renew(node)  # an automatic leader needs the lease before it takes writes again
        else:
            assert what in ("node.frozen", "node.resumed"), what
            node.frozen = what == "node.frozen"
        self.changed()

    def _on_world(self, what: str, subject: str) -> None:  # noqa: ARG002 - any change of the network may concern us
        if what in ("link.cut", "link.mended", "zone.down", "zone.up"):
            self.changed()

    def stop_replication(self, zone: str) -> None:
        """One more reason why a replica receives nothing."""
        self._count(zone, "stops", 1)

    def start_replication(self, zone: str) -> None:
        """One reason less."""
        self._count(zone, "stops", -1)

    def fill_disk(self, zone: str) -> None:
        """One more reason why a node's disk is full: it takes no writes and receives no log."""
        self._count(zone, "disks", 1)

    def free_disk(self, zone: str) -> None:
        """One reason less."""
        self._count(zone, "disks", -1)

    def freeze_agent(self, zone: str) -> None:
        """One more reason why a node's agent hangs, while its database goes on as it was last told to."""
        self._count(zone, "hangs", 1)

    def resume_agent(self, zone: str) -> None:
        """One reason less; an agent that wakes up is overdue and looks at once who leads."""
        self._count(zone, "hangs", -1)

    def _count(self, zone: str, name: str, by: int) -> None:
        node = self.nodes[zone]
        self.replication.advance()
        setattr(node, name, getattr(node, name) + by)
        assert getattr(node, name) >= 0, f"{self.subject}@{zone}: more healed than broken"
        if name == "hangs":
            self.leases.renew(node)
        self.changed()

    def skew_clock(self, zone: str, offset_s: float) -> None:
        """Put a node's clock back by `offset_s` more (negative: forward)."""
        self.nodes[zone].skew_s += offset_s

    # -- what controllers and people do ---------------------------------------------------------------------------------

    def fence(self, zone: str) -> None:
        """Stop a node from taking writes until it is released or follows another; a dead one comes back fenced."""
        self.replication.advance()
        node = self.nodes[zone]
        node.leads, node.fence = False, "controller"
        self.changed()

    def unfence(self, zone: str) -> None:
        """Release a fenced node; it is primary again unless another one was installed."""
        node = self.nodes[zone]
        if node.fence != "controller":
            return
        self.replication.advance()
        node.fence = ""
        if node.term is self.current and self.current.leader == zone:
            self.leases.grant(self.current)
            if node.serving:
                node.leads, node.renewed_s = True, self.world.env.now
        self.changed()

    def request_promotion(self, by: str, to_zone: str | None = None) -> str | None:
        """Somebody asks for a promotion (of the most advanced replica); a sentence when it cannot begin, else None."""
        if self.policy.mode == "none":
            return f"the policy of {self.subject} promotes nobody"
        if self.moving:
            return f"{self.subject} is being promoted already"
        node = self.succession.best()
        if to_zone is not None:
            wanted = self.nodes.get(to_zone)
            node = wanted if wanted is not None and self.succession.may_be_promoted(wanted) else None
        if node is None:
            return f"{self.subject} has no replica that could be promoted"
        lag_s = self.replication.behind_s(node)
        if self.policy.maximum_lag is not None and lag_s > self.policy.maximum_lag:
            return f"{node.zone} is {lag_s:.1f} s behind, allowed are {self.policy.maximum_lag:.1f} s"
        self.succession.promote(node, by)
        return None

    def readmit(self, zone: str) -> str | None:
        """Let a node that stays out rewind and follow; a sentence when it cannot."""
        node = self.nodes[zone]
        if not node.out or not node.serving:
            return f"{zone} is not waiting to come back"
        self.succession.rejoin(node, self.current, rewind=True)
        self.changed()
        return None

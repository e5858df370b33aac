"""Failover of a region: detect, decide, check, fence, promote, move, refill; every step takes its own time and may fail.

    probes ─▶ trigger ─▶ decide ─▶ approval ─▶ check ─▶ fence ─▶ promote ─▶ move ─▶ completed ─▶ refill
                                       └────────┴────────┴────────┴────────┴─▶ failed ─▶ rolled back, where the home still works

The rule that surprises: nothing here makes a failover right or successful. The controller believes its probes, and the target has the
capacity it has. A failed failover is not tried again before the trigger has cleared.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import simpy

from sim.databases.cluster import Cluster
from sim.databases.nodes import Term
from sim.dns import Resolvers
from sim.draws import sample
from sim.failback import Failback
from sim.probes import RegionHealth
from sim.processes import Process, Steps
from sim.traffic.changes import SetStation

if TYPE_CHECKING:
    from sim.world import World

CONTROLLER = "failover controller"
REFILL_STEPS = 20
"""Steps in which a cold target's service times go back to normal, in a straight line."""
LONGEST_WAIT_FOR_PROMOTION_S = 60.0
"""Time the controller waits for a promotion that a database's own cluster manager has begun."""


@dataclass(slots=True, eq=False)
class Move:
    """One failover: where from, where to, and what has been done so far."""

    home: str
    target: str
    by: str
    origins: list[str] = field(default_factory=list)
    fenced: list[tuple[Cluster, str]] = field(default_factory=list)
    promoted: list[tuple[Cluster, str]] = field(default_factory=list)
    """Databases with the zone of their primary before."""

    @property
    def name(self) -> str:
        """How the record calls it: `eu-1->eu-2`."""
        return f"{self.home}->{self.target}"

    @property
    def subject(self) -> str:
        """The region that is left."""
        return f"region/{self.home}"


class RegionFailover:
    """The controller of all regions that have a partner."""

    def __init__(self, world: World, resolvers: Resolvers) -> None:
        """Starts watching at once."""
        self.world = world
        self.resolvers = resolvers
        self.policy = world.scenario.policies.failover
        self.vantages = self.policy.vantage or ["internet"]
        regions = dict.fromkeys([*self.policy.pairs, *self.policy.pairs.values()])
        self.draws = {region: world.streams.draws(f"failover/{region}") for region in regions}
        self.health = {region: RegionHealth(world, region, self.draws[region]) for region in regions}
        self.moved: dict[str, Move] = {}
        """Home region to the completed failover its traffic is away by."""
        self.healthy_since: dict[str, float | None] = dict.fromkeys(self.policy.pairs)
        """Home region to the time since when every probe has been answered; None while one is not."""
        self.failback = Failback(self)
        self._doing: dict[str, str] = {}
        self._triggered: dict[str, bool] = dict.fromkeys(self.policy.pairs, False)
        self._armed: dict[str, bool] = dict.fromkeys(self.policy.pairs, True)
        self._approvals: dict[str, simpy.Event] = {}
        self._refills: dict[str, int] = {}
        for home in self.policy.pairs:
            world.env.look(self._watch(home))

    # -- what people see and do -----------------------------------------------------------------------------------------

    def state(self, region: str) -> str:
        """`home`, the step a failover is at, `moved`, or what failback is waiting for."""
        doing = self._doing.get(region) or self.failback.doing.get(region)
        return doing or ("moved" if region in self.moved else "home")

    def triggered(self, region: str) -> bool:
        """Whether the probes of a region call for failover now."""
        return self._triggered.get(region, False)

    def request(self, by: str, region: str) -> str | None:
        """Somebody asks for the failover of a region; a sentence when it cannot begin, else None.

        Detection and the controller's time to decide are left out: people have noticed and decided.
        """
        if region not in self.policy.pairs:
            return f"no region takes over for {region}"
        if region in self._doing or region in self.failback.doing:
            return f"{region} is at {self.state(region)} already"
        if not self._has_something(region):
            return f"nothing is left in {region} that could be moved"
        self._start(region, by, f"asked for by {by}", None)
        return None

    def approve(self, by: str, role: str) -> bool:
        """Somebody approves the automatic failovers that wait; False when none does or the role may not."""
        if role != self.policy.approval or not self._approvals:
            return False
        for region, waiting in self._approvals.items():
            self.world.record("decision.approved", f"region/{region}", decision="failover", by=by, why=f"asked as {role}")
            waiting.succeed()
        self._approvals.clear()
        return True

    def approve_failback(self, by: str, role: str) -> bool:
        """Somebody approves the failbacks that wait; False when none does or the role may not."""
        return self.failback.approve(by, role)

    # -- detection ------------------------------------------------------------------------------------------------------

    def _watch(self, home: str) -> Process:
        env, policy = self.world.env, self.policy
        results: dict[str, deque[tuple[float, bool]]] = {vantage: deque(maxlen=policy.trigger.last) for vantage in self.vantages}
        yield env.timeout(self.draws[home].uniform() * policy.probe_interval)
        while True:
            asked = env.now
            self.health[home].look()
            if self.failback.is_moving(home):  # it causes what the probes would see, and starts with a clean slate
                for of in results.values():
                    of.clear()
                yield env.timeout(policy.probe_interval)
                continue
            found = {vantage: self.health[home].probe(vantage, policy.probe_timeout) for vantage in self.vantages}
            if False in found.values():  # only a timeout tells that a probe has failed
                yield env.timeout(min(policy.probe_timeout, policy.probe_interval))
            for vantage, answered in found.items():
                if answered is not None:
                    results[vantage].append((asked, answered))
            self._judge(home, results, all(answered is not False for answered in found.values()))
            yield env.timeout(max(0.0, asked + policy.probe_interval - env.now))

    def _judge(self, home: str, results: dict[str, deque[tuple[float, bool]]], well: bool) -> None:
        """All vantages that can ask must agree that enough of their last probes failed."""
        now, policy = self.world.env.now, self.policy
        votes = [[at for at, answered in of if not answered] for of in results.values() if of]
        self._triggered[home] = bool(votes) and all(len(failed) >= policy.trigger.failed for failed in votes)
        since = self.healthy_since[home]
        self.healthy_since[home] = (now if since is None else since) if well else None
        if not self._triggered[home]:
            self._armed[home] = True
        elif policy.mode == "automatic" and self._armed[home] and not self._is_busy(home) and self._has_something(home):
            count = ", ".join(
                f"{len(failed)} of the last {len(of)}" for failed, of in zip(votes, filter(None, results.values()), strict=True)
            )
            why = f"failed probes from {', '.join(self.vantages)}: {count}"
            self._start(home, CONTROLLER, why, min(min(failed) for failed in votes))

    def _is_busy(self, region: str) -> bool:
        return region in self._doing or region in self.failback.doing

    def _has_something(self, region: str) -> bool:
        return bool(self.resolvers.origins_at(region) or self._databases_in(region))

    def _databases_in(self, region: str) -> list[Cluster]:
        """Databases that move with a region: those of the policy whose primary is in it."""
        names = self.policy.databases if self.policy.databases is not None else list(self.world.clusters)
        clusters = [self.world.clusters[name] for name in names]
        return [c for c in clusters if c.primary is not None and self.world.topology.region_of(c.primary) == region]

    # -- the sequence ---------------------------------------------------------------------------------------------------

    def _start(self, home: str, by: str, why: str, since: float | None) -> None:
        """Begin now; `since` is the first failed probe, None when people asked."""
        self._doing[home] = "detect"
        self._armed[home] = False
        self.world.env.process(self._fail_over(Move(home, self.policy.pairs[home], by), why, since))

    def _fail_over(self, move: Move, why: str, since: float | None) -> Process:
        home, by = move.home, move.by
        correct = self.health[home].users_hurt(self.resolvers.origins_at(home))
        self.world.record("failover.triggered", move.subject, failover=move.name, why=why, by=by, correct=correct)
        if since is not None:
            self._record_step(move, "detect", "succeeded", self.world.env.now - since)
        steps = [("check", self._check), ("fence", self._fence), ("promote", self._promote), ("move", self._move)]
        if since is not None:
            steps.insert(0, ("decide", self._decide))
        for step, play in steps:
            self._doing[home] = step
            began = self.world.env.now
            if not self._is_needed(step, home):
                self._record_step(move, step, "skipped", 0.0)
                continue
            problem = yield from play(move)
            self._record_step(move, step, "succeeded" if problem is None else "failed", self.world.env.now - began)
            if problem is not None:
                self.world.record("failover.failed", move.subject, failover=move.name, step=step, why=problem)
                yield from self._roll_back(move, problem)
                del self._doing[home]
                return
        del self._doing[home]
        self.moved[home] = move
        self.world.record("failover.completed", move.subject, failover=move.name, to=move.target)
        self.refill(move.target, move)
        self.failback.begin(move)

    def _is_needed(self, step: str, home: str) -> bool:
        """Databases are fenced if the policy says so, and promoted if any has its primary at home."""
        if step == "fence" and not self.policy.fence:
            return False
        return step not in ("fence", "promote") or bool(self._databases_in(home))

    def _record_step(self, move: Move, step: str, outcome: str, took_s: float) -> None:
        self.world.record("failover.step", move.subject, failover=move.name, step=step, outcome=outcome, took_s=took_s)

    def _decide(self, move: Move) -> Steps[str | None]:
        """The controller's time, and the word of whoever must approve; it waits until that comes or the region has recovered."""
        env, home = self.world.env, move.home
        yield env.timeout(sample(self.policy.decide, self.draws[home]))
        if self.policy.approval is None:
            return None
        self._doing[home] = "waiting for approval"
        waiting = self._approvals[home] = env.event()
        self.world.tell("failover.approval", home)
        while not waiting.triggered:
            yield waiting | env.timeout(self.policy.probe_interval)
            if not waiting.triggered and not self._triggered[home]:
                del self._approvals[home]
                return f"{home} recovered before anybody in the role of {self.policy.approval} approved"
        return None

    def _check(self, move: Move) -> Steps[str | None]:
        """Whether the target runs and its copies are fresh enough; what is asked is known already, so it takes no time."""
        yield self.world.env.timeout(0.0)
        target = f"region/{move.target}"
        if self.policy.check_target:
            if not self.world.place_works(target) or not self.health[move.target].runs():
                return f"{move.target} does not run"
            if not self.world.reachable("internet", target):
                return f"{move.target} cannot be reached"
        for cluster in self._databases_in(move.home):
            node = cluster.succession.best(move.target)
            if node is None:
                return f"{cluster.subject} has no replica in {move.target} that could be promoted"
            lag_s = cluster.replication.behind_s(node)
            if self.policy.check_lag is not None and lag_s > self.policy.check_lag:
                return f"{cluster.subject} is {lag_s:.1f} s behind in {move.target}, allowed are {self.policy.check_lag:.1f} s"
        return None

    def _fails_by_itself(self, move: Move) -> bool:
        return self.policy.step_failure > 0.0 and self.draws[move.home].uniform() < self.policy.step_failure

    def _fence(self, move: Move) -> Steps[str | None]:
        """Stop the old primaries."""
        clusters = self._databases_in(move.home)
        fails = self._fails_by_itself(move)
        yield self.world.env.timeout(sample(self.policy.fence_time, self.draws[move.home]))
        if fails:
            return "the fencing device failed"
        for cluster in clusters:
            zone = cluster.leader.zone
            reached = self.world.reachable(f"region/{move.target}", f"zone/{zone}")
            if not (reached or self.policy.fence_out_of_band):
                return f"{cluster.subject}@{zone} cannot be reached to be fenced"
            if cluster in self._databases_in(move.home):
                cluster.fence(zone)
                move.fenced.append((cluster, zone))
        return None

    def _promote(self, move: Move) -> Steps[str | None]:
        """Promote the best replica in the target of every database at the same time; each takes its own time."""
        env = self.world.env
        waited_until = env.now + LONGEST_WAIT_FOR_PROMOTION_S
        while any(cluster.moving for cluster in self._databases_in(move.home)) and env.now < waited_until:
            yield env.timeout(1.0)
        clusters = self._databases_in(move.home)
        if not clusters:
            return None
        fails = self._fails_by_itself(move)
        times = [sample(self.policy.promote, self.draws[move.home]) for _ in clusters]
        if fails:
            yield env.timeout(max(times))
            return "the promotion failed"
        began = env.now
        under_way: list[tuple[float, int, Cluster, Term, str, float]] = []
        for number, (took_s, cluster) in enumerate(zip(times, clusters, strict=True)):
            node = cluster.succession.best(move.target)
            if node is None or cluster.moving:
                for _, _, other, term, _, _ in under_way:
                    other.succession.abandon(term)
                return f"{cluster.subject} has no replica in {move.target} that could be promoted"
            if self.policy.fence and cluster.leader.accepts:  # its own cluster manager has promoted it since
                move.fenced.append((cluster, cluster.leader.zone))
                cluster.fence(cluster.leader.zone)
            lag_s = cluster.replication.behind_s(node)
            under_way.append((took_s, number, cluster, cluster.succession.begin(node), cluster.leader.zone, lag_s))
        problem = None
        for took_s, _, cluster, term, old, lag_s in sorted(under_way, key=lambda entry: entry[:2]):
            yield env.timeout(max(0.0, began + took_s - env.now))
            if cluster.succession.may_install(term):
                cluster.succession.report(term, old, lag_s, took_s, move.name)
                move.promoted.append((cluster, old))
            else:
                cluster.succession.abandon(term)
                problem = f"{cluster.subject}@{term.leader} was lost while it was promoted"
        return problem

    def _move(self, move: Move) -> Steps[str | None]:
        """Change the record, or the announcement; clients follow in their own time."""
        yield self.world.env.timeout(0.0)
        if self._fails_by_itself(move):
            return "the record could not be changed"
        move.origins = self.resolvers.origins_at(move.home)
        self.resolvers.move(move.origins, move.target, at_once=self.policy.move == "anycast")
        return None

    # -- afterwards -----------------------------------------------------------------------------------------------------

    def _roll_back(self, move: Move, why: str) -> Steps[None]:
        """Undo what was done if the home still works: databases go back without loss, or stay when they cannot."""
        if not self.policy.rollback or not (move.origins or move.fenced or move.promoted):
            return
        if not self.world.reachable("internet", f"region/{move.home}") or not self.health[move.home].runs():
            return
        self._doing[move.home] = "rolling back"
        if move.origins:
            self.resolvers.move(move.origins, move.home, at_once=self.policy.move == "anycast")
        stayed = []
        for cluster, zone in move.promoted:
            took_s = sample(self.policy.promote, self.draws[move.home])
            problem = yield from cluster.succession.switch_over(cluster.nodes[zone], took_s, move.name)
            stayed += [problem] if problem else []
        for cluster, zone in move.fenced:
            cluster.unfence(zone)
        self.world.record("failover.rolled_back", move.subject, failover=move.name, why="; ".join([why, *stayed]))

    def refill(self, region: str, move: Move) -> None:
        """Traffic comes to a region whose caches are cold: its work takes `cold_factor` times as long at first."""
        if self.policy.refill > 0.0 and self.policy.cold_factor > 1.0:
            self._refills[region] = self._refills.get(region, 0) + 1
            self.world.env.process(self._refill(region, move, self._refills[region]))

    def _refill(self, region: str, move: Move, number: int) -> Process:
        world = self.world
        stations = [places[region] for places in world.wiring.services.values() if region in places]
        stations += [c.nodes[c.primary].station for c in self._databases_in(region) if c.primary is not None]
        for step in range(REFILL_STEPS + 1):
            factor = 1.0 + (self.policy.cold_factor - 1.0) * (1.0 - step / REFILL_STEPS)
            for station in stations:
                world.apply(SetStation(station, slowdown=factor))
            if step < REFILL_STEPS:
                yield world.env.timeout(self.policy.refill / REFILL_STEPS)
            if self._refills[region] != number:
                return
        self._record_step(move, "refill", "succeeded", self.policy.refill)

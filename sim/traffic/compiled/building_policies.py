"""From the policies of stations and their calls to words in the arena: queues, limiters, outlier ejection, caches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.traffic.compiled import layout as at
from sim.traffic.plan import CachePlan, EdgePlan, LimiterPlan, OutlierPlan, Plan, StationPlan
from sim.traffic.state import newest_first_above

if TYPE_CHECKING:
    from sim.traffic.compiled.tables import Tables


def lay_queue(tables: Tables, record: int, plan: StationPlan) -> None:
    """Whose turn it is at a station, and who is dropped."""
    word, real = tables.arena.word, tables.arena.real
    word[record + at.S_LIFO_ABOVE] = newest_first_above(plan)
    word[record + at.S_DROPS] = at.BY_CODEL * (plan.codel is not None) + at.BY_DEADLINE * plan.drop_expired
    if plan.codel is not None:
        real[record + at.S_CODEL_TARGET], real[record + at.S_CODEL_INTERVAL] = plan.codel.target_s, plan.codel.interval_s


def lay_limiter(tables: Tables, plan: LimiterPlan) -> int:
    """The limiter of one instance."""
    record = tables.arena.take(at.LIMITER_WORDS)
    real = tables.arena.real
    tables.arena.word[record + at.L_ADAPTIVE] = plan.adaptive
    real[record + at.L_LIMIT] = real[record + at.L_FIRST] = plan.limit
    real[record + at.L_LEAST], real[record + at.L_MOST], real[record + at.L_WINDOW] = plan.least, plan.most, plan.window_s
    for priority, share in enumerate(plan.shares):
        real[record + at.L_SHARES + priority] = share
    return record


def lay_outlier(tables: Tables, plan: OutlierPlan) -> int:
    """How a station ejects outliers."""
    record = tables.arena.take(at.OUTLIER_WORDS)
    tables.arena.word[record + at.O_FAILURES] = plan.failures
    real = tables.arena.real
    real[record + at.O_BASE], real[record + at.O_LONGEST] = plan.base_s, plan.longest_s
    real[record + at.O_INTERVAL], real[record + at.O_MOST] = plan.interval_s, plan.most_ratio
    return record


def cached_edges(plan: Plan, caller: int) -> list[int]:
    """Edges of a calling station that have a cache, in the order of its instances' caches."""
    return [number for number, edge in enumerate(plan.edges) if edge.caller == caller and edge.cache is not None]


def lay_cached_edge(tables: Tables, number: int, plan: EdgePlan, cache: CachePlan) -> None:
    """What an edge knows about the caches in front of it."""
    record = tables.edge(number)
    tables.draws.keys(record + at.E_KEYS, cache, f"edge-key/{plan.name}")
    word, real = tables.arena.word, tables.arena.real
    word[record + at.E_CACHE] = 1 + cached_edges(tables.plan, plan.caller).index(number)
    word[record + at.E_COALESCE] = cache.coalesce
    word[record + at.E_CAPACITY] = cache.capacity
    real[record + at.E_TTL] = cache.ttl_s


def lay_caches(tables: Tables, station: int, instance: int) -> None:
    """Empty caches of one calling instance, if it has any."""
    edges = cached_edges(tables.plan, station)
    if not edges:
        return
    listed = tables.arena.take(len(edges) + 1)
    tables.arena.word[instance + at.I_CACHES] = listed
    for place, number in enumerate(edges):
        plan = tables.plan.edges[number].cache
        assert plan is not None, "only edges with a cache are listed"
        record = tables.arena.take(at.C_KEYS + plan.keys * at.KEY_WORDS)
        tables.arena.word[record + at.C_KEY_COUNT] = plan.keys
        tables.arena.word[listed + place] = record

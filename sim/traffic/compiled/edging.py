"""From the edges of a plan to records in the arena: what callers know about their calls.

The rule that surprises: a stream of draws is made when the configuration first leaves something to chance for an edge.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.traffic.compiled import layout as at
from sim.traffic.compiled.building_policies import lay_cached_edge
from sim.traffic.compiled.tables import Tables, store
from sim.traffic.plan import CLIENT, EdgePlan, Plan, WindowPlan

_OPERATION = {"call": at.CALL, "read": at.READ, "write": at.WRITE}
_BY_CHANCE = frozenset({"random", "power_of_two", "zone_aware"})


_NO_LIMIT = 2**62


def guarded_edges(plan: Plan, caller: int) -> list[int]:
    """Edges of a calling station that have a bulkhead or a pool, in the order of its instances' gates."""
    return [
        number
        for number, edge in enumerate(plan.edges)
        if edge.caller == caller and (edge.bulkhead is not None or edge.pool is not None)
    ]


def add_edge(tables: Tables, number: int, plan: EdgePlan, ring: int) -> None:
    """Fill the record of an edge and give it the streams its configuration needs."""
    record = tables.edge(number)
    window = 0 if plan.breaker is None or plan.breaker.window is None else _add_window(tables, plan.breaker.window)
    word, real = tables.arena.word, tables.arena.real
    word[record + at.E_NUMBER] = number
    real[record + at.E_TIMEOUT] = plan.timeout_s
    word[record + at.E_RING] = ring
    word[record + at.E_REQUIRED] = plan.required
    word[record + at.E_ASYNCHRONOUS] = plan.asynchronous
    word[record + at.E_CANCEL] = ("none", "queued", "running").index(plan.cancel)
    if plan.cancel == "running" and not plan.asynchronous and plan.caller != CLIENT:
        word[tables.station(plan.caller) + at.S_CANCELS] = 1
    if plan.hedge_s is not None:
        word[record + at.E_HEDGES] = 1
        real[record + at.E_HEDGE_S] = plan.hedge_s
    word[record + at.E_OPERATION] = _OPERATION[plan.operation]
    word[record + at.E_WHOLE] = int(plan.calls_mean)
    real[record + at.E_FRACTION] = plan.calls_mean - int(plan.calls_mean)
    word[record + at.E_ENABLED] = 1
    guarded = guarded_edges(tables.plan, plan.caller)
    if number in guarded:
        word[record + at.E_GUARDED] = 1
        word[record + at.E_GATE] = guarded.index(number) * at.GATE_WORDS
        word[record + at.E_BULKHEAD] = _NO_LIMIT if plan.bulkhead is None else plan.bulkhead
        word[record + at.E_CONNECTIONS] = _NO_LIMIT if plan.pool is None else plan.pool.connections
        real[record + at.E_POOL_WAIT] = 0.0 if plan.pool is None else plan.pool.wait_s
    retry = plan.retry
    word[record + at.E_RETRIES] = retry.retries
    real[record + at.E_BACKOFF] = retry.backoff_s
    real[record + at.E_BACKOFF_CAP] = retry.backoff_cap_s
    real[record + at.E_BUDGET] = real[record + at.E_BURST] = retry.budget_burst
    if retry.budget_ratio is not None:
        word[record + at.E_EARNS] = 1
        real[record + at.E_EARN] = retry.budget_ratio
    if plan.breaker is not None:
        word[record + at.E_BREAKER] = 1
        word[record + at.E_FAILURE_LIMIT] = plan.breaker.failures
        real[record + at.E_OPEN_S] = plan.breaker.open_s
        word[record + at.E_TRIALS] = plan.breaker.trials
        word[record + at.E_WINDOW] = window
    if plan.calls_mean != int(plan.calls_mean):
        _give_stream(tables, number, at.E_BRANCH_DRAWS, "edge")
    if retry.retries > 0 and retry.backoff_s > 0.0 and retry.backoff_cap_s > 0.0:
        _give_stream(tables, number, at.E_BACKOFF_DRAWS, "edge-backoff")
    if plan.cache is not None:
        lay_cached_edge(tables, number, plan, plan.cache)
    tables.targets.append([])
    tables.target_room.append(0)
    set_options(tables, number, plan.options)
    refresh_edge(tables, number)


def _add_window(tables: Tables, plan: WindowPlan) -> int:
    window = store(tables, [plan.attempts, plan.minimum, *[0] * (at.W_RESULTS + plan.attempts)])
    tables.arena.real[window + at.W_RATIO] = plan.failure_ratio
    return window


def _give_stream(tables: Tables, edge: int, word: int, prefix: str) -> None:
    stream = tables.edge(edge) + word
    if not tables.arena.word[stream + at.D_LIMIT]:
        tables.draws.uniforms(stream, f"{prefix}/{tables.plan.edges[edge].name}")


def set_options(tables: Tables, number: int, options: Sequence[tuple[int, float]]) -> None:
    """Replace an edge's options; a target that stays keeps its place in the round robin."""
    arena, record = tables.arena, tables.edge(number)
    known = dict(tables.targets[number])
    chosen: list[tuple[int, int]] = []
    weights = []
    for station, weight in options:
        if weight > 0.0:
            target = known.get(station) or _new_target(tables, station)
            chosen.append((station, target))
            weights.append(weight)
    kept = {target for _, target in chosen}
    tables.free_targets += {target for _, target in tables.targets[number]} - kept
    tables.targets[number] = chosen
    if len(chosen) > tables.target_room[number]:
        tables.target_room[number] = 2 * len(chosen)
        arena.word[record + at.E_TARGETS] = arena.take(4 * len(chosen))
    listed = arena.word[record + at.E_TARGETS]
    for offset, ((_, target), weight) in enumerate(zip(chosen, weights, strict=True)):
        arena.word[listed + 2 * offset] = target
        arena.real[listed + 2 * offset + 1] = weight
    arena.word[record + at.E_TARGET_COUNT] = len(chosen)
    arena.real[record + at.E_WEIGHTS] = sum(weights)
    if any(tables.plan.stations[station].balancing in _BY_CHANCE for station, _ in chosen):
        _give_stream(tables, number, at.E_BALANCE_DRAWS, "edge-balance")
    if len(chosen) > 1:
        _give_stream(tables, number, at.E_OPTION_DRAWS, "edge-option")


def _new_target(tables: Tables, station: int) -> int:
    turns = store(tables, [0] * (1 + len(tables.plan.zones))) if tables.plan.stations[station].balancing == "zone_aware" else 0
    record = tables.free_targets.pop() if tables.free_targets else tables.arena.take(at.TARGET_WORDS)
    tables.arena.word[record + at.T_STATION] = tables.station(station)
    tables.arena.word[record + at.T_TURN] = 0
    tables.arena.word[record + at.T_TURNS] = turns
    return record


def refresh_edge(tables: Tables, number: int) -> None:
    """Recompute the shortcut for the common case: one option, and its name resolves."""
    record = tables.edge(number)
    failing = tables.arena.real[record + at.E_DNS_FAILED] > 0.0
    if failing:
        _give_stream(tables, number, at.E_DNS_DRAWS, "edge-dns")
    targets = tables.targets[number]
    tables.arena.word[record + at.E_SINGLE] = targets[0][1] if len(targets) == 1 and not failing else 0

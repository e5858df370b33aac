"""Clients in the kernel: when requests arrive, people who think, and the one fate of each request.

The twin of `sim.traffic.arrivals` and of the client part of `sim.traffic.plain`, in the same order of arithmetic.
"""

from __future__ import annotations

from math import inf

from sim.traffic.compiled.jit import Reals, Words, bits_of, kernel, part
from sim.traffic.compiled.layout import (
    ARRIVAL,
    F_ANSWERED,
    F_BURST_DRAWS,
    F_BURST_RATE,
    F_BURST_S,
    F_BURSTING,
    F_CALM_RATE,
    F_CALM_S,
    F_DEADLINE,
    F_DRAWS,
    F_ENTERED,
    F_EXTRA,
    F_FACTOR,
    F_GOOD,
    F_LATENCY,
    F_LOST,
    F_LOST_ALL,
    F_MASS,
    F_MASS_AT,
    F_PLACE_COUNT,
    F_PLACES,
    F_SEGMENT,
    F_TABLE,
    F_TABLE_SIZE,
    F_THINK,
    F_TOKEN,
    F_USER_COUNT,
    F_USERS,
    FRACTION_BITS,
    H_BUCKETS,
    H_LOST_ALL,
    H_NOW,
    H_STOP,
    H_TRACE,
    OK,
    S_NUMBER,
    SWITCH,
    THOUGHT,
    U_DUE,
    U_FLOW,
    U_LEFT,
    U_THINKING,
    U_TOKEN,
    USER_WORDS,
)
from sim.traffic.compiled.primitives import draw, mark, push, tick
from sim.traffic.marks import OVER
from sim.traffic.plan import Reason

_LATE = int(Reason.LATE)
BUCKETS = 176
_PER_OCTAVE = 8
_LOWEST_EXPONENT = 1023 - 14  # of 2**-14 s, as it is stored in a float64
_INFINITE = inf


@kernel
def arrive_at(word: Words, real: Reals, flow: int) -> float:
    """When the next request of an open flow arrives; infinite if the rate is 0 from here on."""
    table = word[flow + F_TABLE]
    last = word[flow + F_TABLE_SIZE] - 1
    segment = word[flow + F_SEGMENT]
    at = real[flow + F_MASS_AT]
    mass = real[flow + F_MASS]
    while segment <= last:
        rate = (real[table + 2 * segment + 1] + real[flow + F_EXTRA]) * real[flow + F_FACTOR]
        end = real[table + 2 * segment + 2] if segment < last else _INFINITE
        if rate > 0.0:
            due: float = at + mass / rate
            if due < end:
                return due
            mass = mass - rate * (end - at)
            mass = max(mass, 0.0)
        at = end
        segment += 1
    return _INFINITE


@part
def schedule_arrival(word: Words, real: Reals, flow: int, due: float) -> None:
    """Only the latest call for a flow is valid; an infinite time never comes."""
    sequence = tick(word)
    word[flow + F_TOKEN] = sequence
    if due < _INFINITE:
        push(word, real, due, sequence, ARRIVAL, flow)


@part
def draw_next(word: Words, real: Reals, flow: int) -> None:
    """Draw the mass up to the next arrival of an open flow and schedule it."""
    now = real[H_NOW]
    mass = draw(word, real, flow + F_DRAWS)
    real[flow + F_MASS] = mass
    real[flow + F_MASS_AT] = now
    table = word[flow + F_TABLE]
    size = word[flow + F_TABLE_SIZE]
    if size == 1:
        rate = (real[table + 1] + real[flow + F_EXTRA]) * real[flow + F_FACTOR]
        schedule_arrival(word, real, flow, now + mass / rate if rate > 0.0 else _INFINITE)
        return
    segment = word[flow + F_SEGMENT]
    while segment + 1 < size and real[table + 2 * segment + 2] <= now:
        segment += 1
    word[flow + F_SEGMENT] = segment
    schedule_arrival(word, real, flow, arrive_at(word, real, flow))


@kernel
def spend(word: Words, real: Reals, flow: int) -> None:
    """Use up the mass between the last reckoning and now, before the factor changes."""
    now = real[H_NOW]
    table = word[flow + F_TABLE]
    size = word[flow + F_TABLE_SIZE]
    factor = real[flow + F_FACTOR]
    extra = real[flow + F_EXTRA]
    segment = word[flow + F_SEGMENT]
    while segment + 1 < size and real[table + 2 * segment + 2] <= now:
        end = real[table + 2 * segment + 2]
        real[flow + F_MASS] -= (real[table + 2 * segment + 1] + extra) * factor * (end - real[flow + F_MASS_AT])
        real[flow + F_MASS_AT] = end
        segment += 1
    word[flow + F_SEGMENT] = segment
    if size:
        real[flow + F_MASS] -= (real[table + 2 * segment + 1] + extra) * factor * (now - real[flow + F_MASS_AT])
    left = real[flow + F_MASS]
    real[flow + F_MASS] = max(left, 0.0)
    real[flow + F_MASS_AT] = now


@kernel
def schedule_switch(word: Words, real: Reals, flow: int) -> None:
    """The state in which a bursty flow now is will end."""
    mean_s = real[flow + F_BURST_S] if word[flow + F_BURSTING] else real[flow + F_CALM_S]
    push(word, real, real[H_NOW] + draw(word, real, flow + F_BURST_DRAWS) * mean_s, tick(word), SWITCH, flow)


@kernel
def switch(word: Words, real: Reals, flow: int) -> None:
    """A bursty flow goes over to its other state."""
    spend(word, real, flow)
    bursting = 1 - word[flow + F_BURSTING]
    word[flow + F_BURSTING] = bursting
    real[flow + F_EXTRA] = real[flow + F_BURST_RATE] if bursting else real[flow + F_CALM_RATE]
    schedule_switch(word, real, flow)
    schedule_arrival(word, real, flow, arrive_at(word, real, flow))


@kernel
def schedule_thought(word: Words, real: Reals, user: int) -> None:
    """A person sends the next request when the thinking that is left is over."""
    factor = real[word[user + U_FLOW] + F_FACTOR]
    due = real[H_NOW] + real[user + U_LEFT] / factor if factor > 0.0 else _INFINITE
    real[user + U_DUE] = due
    sequence = tick(word)
    word[user + U_TOKEN] = sequence
    if due < _INFINITE:
        push(word, real, due, sequence, THOUGHT, user)


@kernel
def think(word: Words, real: Reals, user: int) -> None:
    """Let a person think."""
    flow = word[user + U_FLOW]
    word[user + U_THINKING] = 1
    real[user + U_LEFT] = draw(word, real, flow + F_DRAWS) * real[flow + F_THINK]
    schedule_thought(word, real, user)


@kernel
def think_on(word: Words, real: Reals, user: int, old_factor: float) -> None:
    """Carry what is left of a person's thinking over to the flow's present factor."""
    if old_factor > 0.0:
        left = (real[user + U_DUE] - real[H_NOW]) * old_factor
        real[user + U_LEFT] = max(left, 0.0)
    schedule_thought(word, real, user)


@part
def set_factor(word: Words, real: Reals, flow: int, factor: float) -> None:
    """Change the rate of an open flow from now on."""
    spend(word, real, flow)
    real[flow + F_FACTOR] = factor
    schedule_arrival(word, real, flow, arrive_at(word, real, flow))


@part
def think_all(word: Words, real: Reals, flow: int, first: int, old_factor: float) -> int:
    """Let people think on at the flow's new factor, or (`old_factor` negative) begin to; returns whose turn is next."""
    number = first
    while number < word[flow + F_USER_COUNT] and not word[H_STOP]:
        user = word[flow + F_USERS] + USER_WORDS * number
        if old_factor < 0.0:
            think(word, real, user)
        elif word[user + U_THINKING]:
            think_on(word, real, user, old_factor)
        number += 1
    return number


@part
def bucket_of(word: Words, real: Reals, seconds: float) -> int:
    """Position in the histogram: to the octave by the float's exponent, in it by the first bits of its fraction and a table of how many of
    the octave's edges lie below them; one more edge may lie between, and is compared with as it stands in `BUCKET_EDGES_S`.
    """
    edges = word[H_BUCKETS]
    if seconds <= real[edges]:
        return 0
    bits = bits_of(seconds)
    octave = (bits >> 52) - _LOWEST_EXPONENT
    bucket: int = octave * _PER_OCTAVE + word[edges + BUCKETS + ((bits >> (52 - FRACTION_BITS)) & ((1 << FRACTION_BITS) - 1))]
    bucket = min(bucket, BUCKETS - 1)
    bucket += real[edges + bucket] <= seconds
    return min(bucket, BUCKETS - 1)


@part
def root_over(word: Words, real: Reals, flow: int, user: int, born: float, entered: int, outcome: int) -> None:
    """A request from outside has its one fate."""
    if outcome == OK:
        latency_s = real[H_NOW] - born
        word[flow + F_LATENCY + bucket_of(word, real, latency_s)] += 1
        word[flow + F_ANSWERED] += 1
        if latency_s > real[flow + F_DEADLINE]:
            outcome = _LATE
    if outcome == OK:
        word[flow + F_GOOD] += 1
    else:
        word[flow + F_LOST + outcome] += 1
        word[flow + F_LOST_ALL] += 1
        word[H_LOST_ALL] += 1
    if word[H_TRACE]:
        mark(word, real, OVER, word[H_TRACE], 0, 0, 0, 0, 0, outcome)
    if entered:
        number = word[entered + S_NUMBER]
        pair = word[flow + F_ENTERED] + 2 * number
        if word[pair] == 0 and word[pair + 1] == 0:
            word[word[flow + F_PLACES] + word[flow + F_PLACE_COUNT]] = number
            word[flow + F_PLACE_COUNT] += 1
        word[pair + (outcome != OK)] += 1
    if user:
        think(word, real, user)

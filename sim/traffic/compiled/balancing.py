"""Balancing in the kernel: the twin of `sim.traffic.balancing`, draw by draw.

The rule that surprises: zone by zone, a station keeps how many instances it has in rotation and where they begin in a list sorted by zone.
"""

from __future__ import annotations

from sim.traffic.compiled.jit import Reals, Words, kernel, part
from sim.traffic.compiled.layout import (
    E_BALANCE_DRAWS,
    I_COLUMN,
    I_DRAINED,
    I_EJECTED,
    I_IN_ROTATION,
    I_QUEUED,
    I_RUNNING,
    I_STATION,
    LEAST_BUSY,
    PATH_WORDS,
    POWER_OF_TWO,
    RANDOM,
    S_BALANCING,
    S_BY_ZONE,
    S_MEMBER_COUNT,
    S_MEMBERS,
    S_NUMBER,
    S_PANIC,
    S_PANICS,
    S_ROTATION,
    S_ROTATION_SIZE,
    S_SORTED,
    T_TURN,
    T_TURNS,
)
from sim.traffic.compiled.primitives import draw, note
from sim.traffic.noted import PANIC_ENDED, PANIC_STARTED


@part
def balance(word: Words, real: Reals, edge: int, station: int, target: int, caller: int) -> int:
    """The instance in rotation an attempt goes to, or 0 if there is none. `caller` is the calling instance, 0 for clients."""
    rotation = word[station + S_ROTATION]
    size = word[station + S_ROTATION_SIZE]
    instance: int = 0
    if size == 1:
        instance = word[rotation]
    elif size == 0:
        pass
    elif word[station + S_BALANCING]:
        instance = choose_instance(word, real, edge, station, target, caller)
    else:
        turn = word[target + T_TURN]
        if turn >= size:
            turn = 0
        word[target + T_TURN] = turn + 1
        instance = word[rotation + turn]
    return instance


@kernel
def choose_instance(word: Words, real: Reals, edge: int, station: int, target: int, caller: int) -> int:
    """An instance of two or more, other than by round robin over all."""
    rotation = word[station + S_ROTATION]
    size = word[station + S_ROTATION_SIZE]
    how = word[station + S_BALANCING]
    if how == LEAST_BUSY:
        return least_busy(word, rotation, size, target)
    if how == RANDOM:
        instance: int = word[rotation + int(draw(word, real, edge + E_BALANCE_DRAWS) * size)]
        return instance
    if how == POWER_OF_TWO:
        first = int(draw(word, real, edge + E_BALANCE_DRAWS) * size)
        second = int(draw(word, real, edge + E_BALANCE_DRAWS) * (size - 1))
        if second >= first:
            second += 1
        one: int = word[rotation + first]
        other: int = word[rotation + second]
        return other if load_of(word, other) < load_of(word, one) else one
    return zone_aware(word, real, edge, station, target, caller)


@part
def load_of(word: Words, instance: int) -> int:
    """Running and queued requests of an instance."""
    load: int = word[instance + I_RUNNING] + word[instance + I_QUEUED]
    return load


@part
def least_busy(word: Words, rotation: int, size: int, target: int) -> int:
    """The instance with the fewest requests; among equals the next after the last one chosen."""
    turn = word[target + T_TURN]
    best = turn % size
    instance: int = word[rotation + best]
    fewest = load_of(word, instance)
    for step in range(1, size):
        position = (turn + step) % size
        other = word[rotation + position]
        load = load_of(word, other)
        if load < fewest:
            best = position
            fewest = load
            instance = other
    word[target + T_TURN] = best + 1
    return instance


@part
def zone_aware(word: Words, real: Reals, edge: int, station: int, target: int, caller: int) -> int:
    """The caller's own zone as far as the callee's share of instances there suffices, the rest to zones with some to spare."""
    size = word[station + S_ROTATION_SIZE]
    if caller == 0:
        return next_in(word, target, -1, word[station + S_ROTATION], size)
    calling = word[caller + I_STATION]
    home = word[caller + I_COLUMN] // PATH_WORDS
    callers = word[calling + S_ROTATION_SIZE]
    theirs, ours = word[station + S_BY_ZONE], word[calling + S_BY_ZONE]
    zones = word[theirs]
    here = word[theirs + 1 + home]
    have = here * callers
    need = word[ours + 1 + home] * size
    if here and (have >= need or draw(word, real, edge + E_BALANCE_DRAWS) * need < have):
        return next_in(word, target, home, word[theirs + 1 + zones + home], here)
    spare = 0
    for zone in range(zones):
        spare += max(0, word[theirs + 1 + zone] * callers - word[ours + 1 + zone] * size)
    if spare == 0:
        return next_in(word, target, -1, word[station + S_ROTATION], size)
    left = draw(word, real, edge + E_BALANCE_DRAWS) * spare
    chosen = 0
    for zone in range(zones):
        share = word[theirs + 1 + zone] * callers - word[ours + 1 + zone] * size
        if share > 0:
            chosen = zone
            left -= share
            if left < 0.0:
                break
    return next_in(word, target, chosen, word[theirs + 1 + zones + chosen], word[theirs + 1 + chosen])


@part
def next_in(word: Words, target: int, zone: int, first: int, size: int) -> int:
    """Round robin among the instances of one zone (-1: all), which stand in a row from `first` on."""
    place = word[target + T_TURNS] + 1 + zone
    turn = word[place]
    if turn >= size:
        turn = 0
    word[place] = turn + 1
    instance: int = word[first + turn]
    return instance


@kernel
def next_to(word: Words, station: int, taken: int) -> int:
    """The next in rotation after this one, which is another one if there are two."""
    rotation, size = word[station + S_ROTATION], word[station + S_ROTATION_SIZE]
    position = 0
    while word[rotation + position] != taken:
        position += 1
    instance: int = word[rotation + (position + 1) % size]
    return instance


@kernel
def rotate(word: Words, real: Reals, station: int) -> None:
    """Work out who is in rotation, and the same sorted by zone; in both, in the order of the instances."""
    rotation = word[station + S_ROTATION]
    members = word[station + S_MEMBERS]
    size = 0
    listed = 0
    for number in range(word[station + S_MEMBER_COUNT]):
        instance = word[members + number]
        if not word[instance + I_DRAINED]:
            listed += 1
            if word[instance + I_IN_ROTATION] and not word[instance + I_EJECTED]:
                word[rotation + size] = instance
                size += 1
    panics = int(size < real[station + S_PANIC] * listed)
    if panics != word[station + S_PANICS]:
        word[station + S_PANICS] = panics
        note(word, real, PANIC_STARTED if panics else PANIC_ENDED, word[station + S_NUMBER], 0)
    if panics:
        size = 0
        for number in range(word[station + S_MEMBER_COUNT]):
            instance = word[members + number]
            if not word[instance + I_DRAINED]:
                word[rotation + size] = instance
                size += 1
    word[station + S_ROTATION_SIZE] = size
    sort_by_zone(word, station)


@part
def sort_by_zone(word: Words, station: int) -> None:
    """List the rotation zone by zone."""
    rotation, size = word[station + S_ROTATION], word[station + S_ROTATION_SIZE]
    table = word[station + S_BY_ZONE]
    zones = word[table]
    place: int = word[station + S_SORTED]
    for zone in range(zones):
        word[table + 1 + zones + zone] = place
        for position in range(size):
            instance = word[rotation + position]
            if word[instance + I_COLUMN] // PATH_WORDS == zone:
                word[place] = instance
                place += 1
        word[table + 1 + zone] = place - word[table + 1 + zones + zone]

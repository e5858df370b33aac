"""Caches in front of a dependency: what is in them and who waits for it; the twin of `sim.traffic.caching`.

Each calling instance has, for each edge with a cache, a record and one entry for every key there is. Those in the cache are linked by how
long ago they were used. The rule that surprises: who has joined a call is told one after the other, an event each, because no step of the
machine may take more room than the reserve.
"""

from __future__ import annotations

from sim.traffic.compiled.jit import Reals, Words, kernel
from sim.traffic.compiled.layout import (
    A_CALLER,
    A_EDGE,
    A_FETCH,
    A_HOLDS,
    A_LIFE,
    A_NEXT,
    A_OPEN,
    A_OUTCOME,
    ANSWER,
    C_COUNT,
    C_KEY_COUNT,
    C_KEYS,
    C_NEWEST,
    C_OLDEST,
    E_CACHE,
    E_CAPACITY,
    E_TTL,
    H_NOW,
    I_CACHES,
    I_LIFE,
    K_EXPIRES_AT,
    K_FETCHED,
    K_FIRST,
    K_NEWER,
    K_OLDER,
    K_THERE,
    KEY_WORDS,
)
from sim.traffic.compiled.primitives import push, release, tick


@kernel
def cache_of(word: Words, edge: int, instance: int) -> int:
    """The cache an instance has for an edge."""
    cache: int = word[word[instance + I_CACHES] + word[edge + E_CACHE] - 1]
    return cache


@kernel
def take_out(word: Words, cache: int, entry: int) -> None:
    """Take an entry that is there out of the list."""
    newer, older = word[entry + K_NEWER], word[entry + K_OLDER]
    if newer:
        word[newer + K_OLDER] = older
    else:
        word[cache + C_NEWEST] = older
    if older:
        word[older + K_NEWER] = newer
    else:
        word[cache + C_OLDEST] = newer
    word[entry + K_THERE] = 0
    word[cache + C_COUNT] -= 1


@kernel
def put_first(word: Words, cache: int, entry: int) -> None:
    """Put an entry at the head of the list: it has just been used."""
    newest = word[cache + C_NEWEST]
    word[entry + K_NEWER] = 0
    word[entry + K_OLDER] = newest
    if newest:
        word[newest + K_NEWER] = entry
    else:
        word[cache + C_OLDEST] = entry
    word[cache + C_NEWEST] = entry
    word[entry + K_THERE] = 1
    word[cache + C_COUNT] += 1


@kernel
def has(word: Words, real: Reals, cache: int, entry: int) -> bool:
    """Whether a key is there and still good; it then counts as used."""
    if not word[entry + K_THERE]:
        return False
    take_out(word, cache, entry)
    if real[entry + K_EXPIRES_AT] <= real[H_NOW]:
        return False
    put_first(word, cache, entry)
    return True


@kernel
def keep(word: Words, real: Reals, attempt: int) -> None:
    """A good answer has come, which is kept unless a fallback gave it."""
    instance, edge, entry = word[attempt + A_CALLER], word[attempt + A_EDGE], word[attempt + A_FETCH]
    if word[edge + E_CACHE] == 0 or word[instance + I_LIFE] != word[attempt + A_LIFE]:
        return
    cache = cache_of(word, edge, instance)
    if word[entry + K_THERE]:
        take_out(word, cache, entry)
    real[entry + K_EXPIRES_AT] = real[H_NOW] + real[edge + E_TTL]
    put_first(word, cache, entry)
    if word[cache + C_COUNT] > word[edge + E_CAPACITY]:
        take_out(word, cache, word[cache + C_OLDEST])


@kernel
def fetched(word: Words, real: Reals, attempt: int, outcome: int) -> None:
    """A call that others may have joined is over: the first of them learns it by an event, and tells the next."""
    entry = word[attempt + A_FETCH]
    if word[word[attempt + A_CALLER] + I_LIFE] != word[attempt + A_LIFE]:
        return
    first = word[entry + K_FIRST]
    word[entry + K_FETCHED] = 0
    word[entry + K_FIRST] = 0
    if first:
        pass_on(word, real, first, outcome)


@kernel
def pass_on(word: Words, real: Reals, waiter: int, outcome: int) -> None:
    """Put an outcome on its way to who has joined; the event takes over the list's hold."""
    word[waiter + A_OUTCOME] = outcome
    push(word, real, real[H_NOW], tick(word), ANSWER, waiter)


@kernel
def learn(word: Words, real: Reals, waiter: int) -> int:
    """The outcome of the call it had joined reaches a caller, whose hold is still there."""
    if word[waiter + A_NEXT]:
        pass_on(word, real, word[waiter + A_NEXT], word[waiter + A_OUTCOME])
    word[waiter + A_OPEN] = 0
    outcome: int = word[waiter + A_OUTCOME]
    return outcome


@kernel
def forget(word: Words, instance: int) -> None:
    """An instance has died: its caches are empty, and nobody waits in them."""
    place = word[instance + I_CACHES]
    while word[place]:
        cache = word[place]
        place += 1
        entry = cache + C_KEYS
        for _ in range(word[cache + C_KEY_COUNT]):
            word[entry + K_THERE] = 0
            word[entry + K_FETCHED] = 0
            waiter = word[entry + K_FIRST]
            word[entry + K_FIRST] = 0
            while waiter:
                following = word[waiter + A_NEXT]
                word[waiter + A_HOLDS] -= 1
                release(word, waiter)
                waiter = following
            entry += KEY_WORDS
        word[cache + C_COUNT] = 0
        word[cache + C_NEWEST] = 0
        word[cache + C_OLDEST] = 0

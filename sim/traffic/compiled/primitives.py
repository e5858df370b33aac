"""The small parts of the kernel: sequence numbers, event heap, free list, draws, timers, mail, notes.

The rule that surprises: nothing here checks for room. Whoever uses up a reserve sets H_STOP, the machine then goes back to Python
before its next step, and a reserve is larger than what one step can use.
"""

from __future__ import annotations

from sim.traffic.compiled.jit import Reals, Words, fetch, kernel, part
from sim.traffic.compiled.layout import (
    A_HOLDS,
    A_NEXT,
    A_OPEN,
    D_AT,
    D_LIMIT,
    H_FREE,
    H_FREE_COUNT,
    H_HEAP,
    H_HEAP_LIMIT,
    H_HEAP_SIZE,
    H_HOLE,
    H_LOW,
    H_LOW_COUNT,
    H_MAIL_COUNT,
    H_MAIL_FREE,
    H_MARK_COUNT,
    H_MARK_LIMIT,
    H_MARKS,
    H_NOTES,
    H_NOTES_COUNT,
    H_NOTES_LIMIT,
    H_NOW,
    H_RESERVE,
    H_STOP,
    H_TICK,
    I_MAIL,
    I_MAIL_LAST,
    M_ATTEMPT,
    M_KIND,
    M_NEXT,
    MARK_WORDS,
    NEVER,
    NOTE_WORDS,
    R_ARMED,
    R_HEAD,
    R_MASK,
    R_TABLE,
    R_TAIL,
    STOP_FOR_DRAWS,
    STOP_FOR_ROOM,
    TIMER,
    TIMER_WORDS,
)

_PURGE_EVERY = 64
"""Timers added between two looks at who has settled: often the next only, and how many cannot be foreseen, so look at many at once."""


@part
def tick(word: Words) -> int:
    """The next sequence number."""
    sequence: int = word[H_TICK] + 1
    word[H_TICK] = sequence
    return sequence


# The event heap: entries of two words, time and key. Times are not negative, so their bits order like the floats.
# A key is sequence (34 bits), kind (4 bits), subject / 8 (25 bits); sequences are unique, so keys order like them.


# Behind the last entry lie four that never come, at times of their own, so that every group of children is complete and has a first.


@part
def sink(word: Words, time: int, key: int) -> None:
    """Put an entry at the root, which is free, and let it sink.

    Which child is first is anybody's guess, also the processor's, so it is reckoned without branches, from the times alone; keys are asked
    when two times are equal.
    """
    base = word[H_HEAP]
    size = word[H_HEAP_SIZE]
    place = base
    child = 1
    while child < size:
        at = base + 2 * child
        time_0, time_1, time_2, time_3 = word[at], word[at + 2], word[at + 4], word[at + 6]
        second, fourth = time_1 < time_0, time_3 < time_2
        early, late = time_1 if second else time_0, time_3 if fourth else time_2
        behind = late < early
        first = 2 + int(fourth) if behind else int(second)
        soonest = late if behind else early
        if (time_0 == time_1) | (time_2 == time_3) | (early == late):
            first = first_of(word, at)
        at += 2 * first
        if time <= soonest and (time < soonest or key < word[at + 1]):
            break
        word[place] = soonest
        word[place + 1] = word[at + 1]
        place = at
        child = 4 * (child + first) + 1
    word[place] = time
    word[place + 1] = key


@kernel
def first_of(word: Words, at: int) -> int:
    """Which of four children is first where times are equal."""
    first = 0
    for number in range(1, 4):
        time, best = word[at + 2 * number], word[at + 2 * first]
        if time < best or (time == best and word[at + 2 * number + 1] < word[at + 2 * first + 1]):
            first = number
    return first


@kernel
def fill_hole(word: Words) -> None:
    """Close the gap the last taken event has left at the root."""
    word[H_HOLE] = 0
    size = word[H_HEAP_SIZE] - 1
    word[H_HEAP_SIZE] = size
    last = word[H_HEAP] + 2 * size
    time, key = word[last], word[last + 1]
    word[last] = NEVER - (size & 3)
    if size:
        sink(word, time, key)


@kernel
def push(word: Words, real: Reals, due: float, sequence: int, kind: int, subject: int) -> None:
    """Put an event on the heap; if the root is free it goes there, which saves half the work."""
    base = word[H_HEAP]
    key = (sequence << 29) | (kind << 25) | (subject >> 3)
    if word[H_HOLE]:
        word[H_HOLE] = 0
        real[base] = due
        sink(word, word[base], key)
        return
    size = word[H_HEAP_SIZE]
    real[base + 2 * size] = due
    time = word[base + 2 * size]
    place = size
    size += 1
    word[H_HEAP_SIZE] = size
    if size >= word[H_HEAP_LIMIT]:
        word[H_STOP] |= STOP_FOR_ROOM
    while place:
        above = (place - 1) >> 2
        above_time = word[base + 2 * above]
        if time > above_time or (time == above_time and key > word[base + 2 * above + 1]):
            break
        word[base + 2 * place] = above_time
        word[base + 2 * place + 1] = word[base + 2 * above + 1]
        place = above
    word[base + 2 * place] = time
    word[base + 2 * place + 1] = key


@part
def take(word: Words) -> int:
    """A free attempt record."""
    attempt: int = word[H_FREE]
    word[H_FREE] = word[attempt + A_NEXT]
    left = word[H_FREE_COUNT] - 1
    word[H_FREE_COUNT] = left
    if left < word[H_RESERVE]:
        word[H_STOP] |= STOP_FOR_ROOM
    return attempt


@part
def give_back(word: Words, attempt: int) -> None:
    """Put a record nobody refers to on the free list."""
    word[attempt + A_NEXT] = word[H_FREE]
    word[H_FREE] = attempt
    word[H_FREE_COUNT] += 1


@part
def release(word: Words, attempt: int) -> None:
    """One holder less; the last one gives the record back."""
    holds = word[attempt + A_HOLDS] - 1
    word[attempt + A_HOLDS] = holds
    if holds == 0:
        give_back(word, attempt)


@part
def draw(word: Words, real: Reals, stream: int) -> float:
    """The next number of a stream."""
    at = word[stream + D_AT]
    word[stream + D_AT] = at + 1
    if at == word[stream + D_LIMIT]:
        word[word[H_LOW] + word[H_LOW_COUNT]] = stream
        word[H_LOW_COUNT] += 1
        word[H_STOP] |= STOP_FOR_DRAWS
    fetch(real, at + 8)  # dozens of streams are read in turn, and the next line of each would come too late
    value: float = real[at]
    return value


@kernel
def note(word: Words, real: Reals, kind: int, number: int, instance: int) -> None:
    """Put a change of state of a breaker, an outlier or a rotation on the record."""
    at = word[H_NOTES] + NOTE_WORDS * word[H_NOTES_COUNT]
    real[at] = real[H_NOW]
    word[at + 1] = kind
    word[at + 2] = number
    word[at + 3] = instance
    word[H_NOTES_COUNT] += 1
    if word[H_NOTES_COUNT] >= word[H_NOTES_LIMIT]:
        word[H_STOP] |= STOP_FOR_ROOM


@kernel
def mark(
    word: Words,
    real: Reals,
    kind: int,
    root: int,
    sequence: int,
    parent: int,
    subject: int,
    instance: int,
    number: int,
    outcome: int,
) -> None:
    """Put what happens to a traced request on its record."""
    at = word[H_MARKS] + MARK_WORDS * word[H_MARK_COUNT]
    real[at] = real[H_NOW]
    word[at + 1] = kind
    word[at + 2] = root
    word[at + 3] = sequence
    word[at + 4] = parent
    word[at + 5] = subject
    word[at + 6] = instance
    word[at + 7] = number
    word[at + 8] = outcome
    word[H_MARK_COUNT] += 1
    if word[H_MARK_COUNT] >= word[H_MARK_LIMIT]:
        word[H_STOP] |= STOP_FOR_ROOM


@part
def purge(word: Words, ring: int) -> None:
    """Drop settled attempts at the front of a ring."""
    head = word[ring + R_HEAD]
    tail = word[ring + R_TAIL]
    table = word[ring + R_TABLE]
    mask = word[ring + R_MASK]
    while head < tail:
        at = table + TIMER_WORDS * (head & mask)
        if word[word[at + 2] + A_OPEN] == word[at + 1]:
            break
        head += 1
    word[ring + R_HEAD] = head


@part
def add_timer(word: Words, real: Reals, ring: int, deadline: float, sequence: int, attempt: int) -> None:
    """Let an attempt time out; the heap holds one entry for the front of the ring."""
    tail = word[ring + R_TAIL]
    if tail & (_PURGE_EVERY - 1) == 0:
        purge(word, ring)
    at = word[ring + R_TABLE] + TIMER_WORDS * (tail & word[ring + R_MASK])
    real[at] = deadline
    word[at + 1] = sequence
    word[at + 2] = attempt
    word[ring + R_TAIL] = tail + 1
    held = tail - word[ring + R_HEAD]
    if held == 0 and word[ring + R_ARMED] == 0:
        word[ring + R_ARMED] = 1
        push(word, real, deadline, sequence, TIMER, ring)
    if held + word[H_RESERVE] >= word[ring + R_MASK]:
        make_room(word, ring)


@kernel
def make_room(word: Words, ring: int) -> None:
    """A ring is nearly full: drop what is settled, and go back to Python for a longer one if that does not help."""
    purge(word, ring)
    if word[ring + R_TAIL] - word[ring + R_HEAD] + word[H_RESERVE] >= word[ring + R_MASK]:
        word[H_STOP] |= STOP_FOR_ROOM


@kernel
def ring(word: Words, real: Reals, timers: int, sequence: int) -> int:
    """The heap's entry for the front of a ring is due: the attempt that times out, or 0. The next entry goes on the heap."""
    late = 0
    head = word[timers + R_HEAD]
    if head < word[timers + R_TAIL]:
        at = word[timers + R_TABLE] + TIMER_WORDS * (head & word[timers + R_MASK])
        if word[at + 1] == sequence:
            word[timers + R_HEAD] = head + 1
            if word[word[at + 2] + A_OPEN] == sequence:
                late = word[at + 2]
    purge(word, timers)
    head = word[timers + R_HEAD]
    if head < word[timers + R_TAIL]:
        word[timers + R_ARMED] = 1
        at = word[timers + R_TABLE] + TIMER_WORDS * (head & word[timers + R_MASK])
        push(word, real, real[at], word[at + 1], TIMER, timers)
    else:
        word[timers + R_ARMED] = 0
    return late


@kernel
def put_in_mail(word: Words, instance: int, kind: int, attempt: int) -> None:
    """Keep for a frozen instance what reaches it; the mail is one holder of the attempt, which the caller has counted."""
    piece = word[H_MAIL_FREE]
    word[H_MAIL_FREE] = word[piece + M_NEXT]
    word[H_MAIL_COUNT] -= 1
    if word[H_MAIL_COUNT] < word[H_RESERVE]:
        word[H_STOP] |= STOP_FOR_ROOM
    word[piece + M_KIND] = kind
    word[piece + M_ATTEMPT] = attempt
    word[piece + M_NEXT] = 0
    if word[instance + I_MAIL]:
        word[word[instance + I_MAIL_LAST] + M_NEXT] = piece
    else:
        word[instance + I_MAIL] = piece
    word[instance + I_MAIL_LAST] = piece

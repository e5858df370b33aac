"""What ends soon: a calendar of the work under way, beside the heap in which everything else waits.

Most events are ends of work, most of them soon, and a calendar (R. Brown, Calendar queues, CACM 31(10), 1988) finds the first of them in a
few steps however many there are. A year has DAYS days; a day is the list, in order, of what ends on it, linked through the attempts; of days on
which anything ends there is a bit each, of words of such bits another, so that the next is found by counting zeros.

The rule that surprises: nothing depends on how long a day is, because what would have to wait in a long line or ends in another year goes on the
heap, and whoever asks for the next event asks both. So days are as long as they were good for until now, and are measured again after many such.
"""

from __future__ import annotations

from sim.traffic.compiled.jit import Reals, Words, bit, bits_of, kernel, lowest_bit, part
from sim.traffic.compiled.layout import (
    A_DAY,
    A_DUE,
    A_LATER,
    A_TOKEN,
    DAYS,
    H_CALENDAR,
    H_DAYS_A_SECOND,
    H_HEAP_LIMIT,
    H_HEAP_SIZE,
    H_MEASURED_AT,
    H_MEASURED_TICK,
    H_MISFITS,
    H_NOW,
    H_SOONEST,
    H_TICK,
    MONTHS,
    NOBODY,
    WORK,
    YEAR,
)
from sim.traffic.compiled.primitives import push

_LONGEST_LINE = 6
_MISFITS = 4096
_DAYS_A_TICK = 2.0
"""Every attempt takes two numbers, so a day has a quarter of an end of work on average."""
_OFF_BY = 2.0
_LONGEST_DAY_S = 1.0


@part
def schedule(word: Words, real: Reals, attempt: int, due: float, sequence: int) -> None:
    """Let the work of an attempt end then."""
    real[attempt + A_DUE] = due
    word[attempt + A_TOKEN] = sequence
    days_a_second = real[H_DAYS_A_SECOND]
    if (due - real[H_NOW]) * days_a_second >= DAYS - 1:
        elsewhere(word, real, attempt, due, sequence)
        return
    place = word[H_CALENDAR] + (int(due * days_a_second) & (DAYS - 1))
    first = word[place]
    if first and due >= real[first + A_DUE]:
        stand_in_line(word, real, attempt, place, due, sequence)
        return
    put_first(word, attempt, place)
    if bits_of(due) < word[word[H_SOONEST] + A_DUE]:
        word[H_SOONEST] = attempt


@part
def put_first(word: Words, attempt: int, place: int) -> None:
    """Put an end of work before all others of its day."""
    first = word[place]
    word[attempt + A_LATER] = first
    word[attempt + A_DAY] = place
    word[place] = attempt
    if first == 0:
        calendar = word[H_CALENDAR]
        day = place - calendar
        word[calendar + MONTHS + (day >> 6)] |= bit(day & 63)
        word[calendar + YEAR] |= bit(day >> 6)


@kernel
def stand_in_line(word: Words, real: Reals, attempt: int, place: int, due: float, sequence: int) -> None:
    """Put an end of work behind those of its day that are not later."""
    before = word[place]
    for _ in range(_LONGEST_LINE):
        following = word[before + A_LATER]
        if following == 0 or due < real[following + A_DUE]:
            word[attempt + A_LATER] = following
            word[attempt + A_DAY] = place
            word[before + A_LATER] = attempt
            count_misfit(word, real)
            return
        before = following
    elsewhere(word, real, attempt, due, sequence)


@kernel
def elsewhere(word: Words, real: Reals, attempt: int, due: float, sequence: int) -> None:
    """Put an end of work on the heap."""
    word[attempt + A_DAY] = 0
    push(word, real, due, sequence, WORK, attempt)
    count_misfit(word, real)


@part
def count_misfit(word: Words, real: Reals) -> None:
    """An end of work was not the first of a day of this year; after many such the length of a day is measured again."""
    word[H_MISFITS] += 1
    if word[H_MISFITS] >= _MISFITS:
        measure_again(word, real)


@kernel
def measure_again(word: Words, real: Reals) -> None:
    """Let days be as long as they should have been since this was last asked, or as near to it as the heap has room for those who end in
    another year then.
    """
    word[H_MISFITS] = 0
    elapsed_s = real[H_NOW] - real[H_MEASURED_AT]
    if elapsed_s <= 0.0:
        return
    good = max(_DAYS_A_TICK * (word[H_TICK] - word[H_MEASURED_TICK]) / elapsed_s, 1.0 / _LONGEST_DAY_S)
    real[H_MEASURED_AT] = real[H_NOW]
    word[H_MEASURED_TICK] = word[H_TICK]
    present = real[H_DAYS_A_SECOND]
    if present / _OFF_BY <= good <= present * _OFF_BY:
        return
    calendar, latest = word[H_CALENDAR], 0
    while word[H_SOONEST] != calendar + NOBODY:
        attempt = word[H_SOONEST]
        take_soonest(word, attempt)
        word[attempt + A_LATER] = latest
        latest = attempt
    while good > present and word[H_HEAP_SIZE] + of_another_year(word, real, latest, good) >= word[H_HEAP_LIMIT]:
        good = max(good / 2.0, present)
    real[H_DAYS_A_SECOND] = good
    while latest:  # each is the first of those put in until then
        attempt = latest
        latest = word[attempt + A_LATER]
        due = real[attempt + A_DUE]
        if (due - real[H_NOW]) * good >= DAYS - 1:
            word[attempt + A_DAY] = 0
            push(word, real, due, word[attempt + A_TOKEN], WORK, attempt)
        else:
            put_first(word, attempt, calendar + (int(due * good) & (DAYS - 1)))
            word[H_SOONEST] = attempt


@part
def of_another_year(word: Words, real: Reals, latest: int, days_a_second: float) -> int:
    """How many of those taken out, the latest first, would not end within a year of such days."""
    count = 0
    while latest and (real[latest + A_DUE] - real[H_NOW]) * days_a_second >= DAYS - 1:
        count += 1
        latest = word[latest + A_LATER]
    return count


@part
def take_soonest(word: Words, attempt: int) -> None:
    """Take the first of all out."""
    place = word[attempt + A_DAY]
    following = word[attempt + A_LATER]
    word[place] = following
    if following:
        word[H_SOONEST] = following
    else:
        word[H_SOONEST] = close_day(word, place)


@part
def close_day(word: Words, place: int) -> int:
    """Nothing ends on a day any more: what ends first after it."""
    calendar = word[H_CALENDAR]
    day = place - calendar
    month = day >> 6
    days = word[calendar + MONTHS + month] & ~bit(day & 63)
    word[calendar + MONTHS + month] = days
    later = days & (-1 << (day & 63))
    if later == 0:
        months = word[calendar + YEAR]
        if days == 0:
            months &= ~bit(month)
            word[calendar + YEAR] = months
        if months == 0:
            nobody: int = calendar + NOBODY
            return nobody
        later = months & (-1 << month) & ~bit(month)
        month = lowest_bit(later if later else months)
        later = word[calendar + MONTHS + month]
    first: int = word[calendar + (month << 6) + lowest_bit(later)]
    return first


@kernel
def call_off_work(word: Words, attempt: int) -> None:
    """The work of an attempt does not end as it was to: forget when."""
    word[attempt + A_TOKEN] = 0
    place = word[attempt + A_DAY]
    if place == 0:
        return
    if word[H_SOONEST] == attempt:
        take_soonest(word, attempt)
    elif word[place] == attempt:
        word[place] = word[attempt + A_LATER]
        if word[place] == 0:
            close_day(word, place)
    else:
        before = word[place]
        while word[before + A_LATER] != attempt:
            before = word[before + A_LATER]
        word[before + A_LATER] = word[attempt + A_LATER]
    word[attempt + A_DAY] = 0

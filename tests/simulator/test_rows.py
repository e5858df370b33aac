"""Rows of counters: windows as over all rows ever kept, until what they need is forgotten; then no data, not other data."""

from bisect import bisect_right

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.rows import Rows

KEEP_S = 40.0


def window_of_all(times, window_s, at):
    """Times of the two samples that stand for a window, where nothing was ever forgotten."""
    new = max(0, bisect_right(times, at + 1e-9) - 1)
    return times[new], times[max(0, bisect_right(times, times[new] - window_s + 1e-9) - 1)]


@given(
    steps=st.lists(st.sampled_from([0.5, 1.0, 3.0]), min_size=1, max_size=400),
    window_s=st.sampled_from([0.0, 1.0, 5.0, 39.0, 100.0, 1e6]),
    back_s=st.sampled_from([0.0, 0.7, 10.0, 39.0, 300.0, 1e4]),
)
@settings(max_examples=150, deadline=None)
def test_a_window_is_that_of_all_rows_or_none(steps, window_s, back_s):
    rows, times, now = Rows(2, KEEP_S), [], 0.0
    for step in steps:
        rows.add(now, [len(times), 2 * len(times)])
        times.append(now)
        now += step
    at = times[-1] - back_s
    ends = rows.ends(window_s, at)
    if ends is None:
        assert window_s + back_s > KEEP_S - 3.0, "what nobody may forget is there"
        return
    new_s, old_s = window_of_all(times, window_s, at)
    assert rows.span_s(*ends) == new_s - old_s
    assert rows.row(ends[0]).tolist() == [times.index(new_s), 2 * times.index(new_s)]
    assert rows.difference(*ends)[0] == times.index(new_s) - times.index(old_s)


def test_nothing_that_may_be_asked_for_is_forgotten_and_the_room_does_not_grow_with_time():
    rows = Rows(1, KEEP_S)
    rooms = set()
    for second in range(5000):
        rows.add(float(second), [second])
        rooms.add(rows.room)
        assert rows.ends(KEEP_S, float(second)) is not None
        assert rows.ends(1e9, float(second)) is not None, "counts since the start"
    assert max(rooms) <= 256
    assert rows.ends(1.0, 100.0) is None, "long forgotten"


def test_a_row_is_a_copy():
    rows, mine = Rows(2, KEEP_S), np.array([1, 2])
    rows.add(0.0, mine)
    mine[:] = 9
    assert rows.row(0).tolist() == [1, 2]

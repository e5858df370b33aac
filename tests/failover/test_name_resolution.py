"""How clients follow a changed record: caches that expire, caches that do not care, and resolution that fails."""

from itertools import pairwise
from math import exp, sqrt

import pytest

RESOLVERS = 2000
FEW = {"classes": {"buy": {"entry": "shop", "rate": "1/s"}}}


def traffic(**dns):
    return {"traffic": {"dns": {"ttl": "60s", "ignore_ttl": 0.0, "resolvers": RESOLVERS, **dns}}}


def move(day, at):
    day.until(at)
    day.resolvers.move(["everyone"], "b")


def tolerance(share):
    """Five standard deviations of a binomial share."""
    return 5.0 * sqrt(max(share * (1.0 - share), 1e-4) / RESOLVERS)


def test_the_share_at_the_old_place_falls_in_a_straight_line_over_the_time_to_live(small):
    day = small(system=traffic())
    move(day, 100.0)
    for after in (1, 15, 30, 45, 59):
        day.until(100.0 + after)
        day.until(100.0 + after + 1e-6)
        expected = 1.0 - after / 60.0
        assert day.resolvers.share("everyone", "a") == pytest.approx(expected, abs=tolerance(expected))
    day.until(162.0)
    assert day.resolvers.share("everyone", "b") == 1.0


@pytest.mark.parametrize("caches", [1, 40])
def test_a_few_caches_follow_one_by_one_at_their_own_instants(small, caches):
    days = [small(seed=seed, system=traffic(ttl="10s", resolvers=caches), load=FEW) for seed in range(10)]
    tails = []
    for day in days:
        move(day, 100.0)
        day.until(111.0)
        points = [(t, share) for t, share in day.series("dns.share", origin="everyone", region="b") if t >= 100.0]
        steps = [later - before for (_, before), (_, later) in pairwise(points)]
        assert max(steps) <= 2.0 / caches + 1e-9, "hardly ever do two expire within a millisecond"
        tails.append(points[-1][0] - 100.0)
    assert max(tails) <= 10.0 + 0.001
    mean = 10.0 * caches / (caches + 1)  # of the latest of so many evenly spread instants
    assert sum(tails) / 10 == pytest.approx(mean, abs=5.0 * 10.0 / (caches + 1) / sqrt(10))


def test_clients_that_ignore_the_time_to_live_are_an_exponential_tail(small):
    day = small(system=traffic(ignore_ttl=0.2, ignore_for="300s"), load=FEW)
    move(day, 3000.0)
    for after in (60, 200, 400):
        day.until(3000.0 + after + 1e-6)
        # their expiry is uniform in the time to live, then exponential: the mean of exp(-(after - u)/300) over u in [0, 60]
        tail = 0.2 * 300.0 / 60.0 * (exp(-(after - 60.0) / 300.0) - exp(-after / 300.0))
        assert day.resolvers.share("everyone", "a") == pytest.approx(tail, abs=tolerance(0.2) + tolerance(tail))


def test_clients_that_ignore_it_keep_a_second_change_from_themselves_as_long(small):
    day = small(system=traffic(ttl="10s", ignore_ttl=1.0, ignore_for="300s"), load=FEW)
    move(day, 100.0)
    day.until(500.0)
    there = day.resolvers.share("everyone", "b")
    day.resolvers.move(["everyone"], "a")
    day.until(600.0)
    assert day.resolvers.share("everyone", "b") == pytest.approx(there * exp(-95.0 / 300.0), abs=0.05)


def test_requests_are_answered_where_the_caches_point(small):
    day = small(system=traffic())
    move(day, 100.0)
    day.until(130.0)
    stations = day.world.wiring.services["shop"]
    before = [day.world.engine.observe().arrived[stations[region]] for region in "ab"]
    day.until(131.0)
    after = [day.world.engine.observe().arrived[stations[region]] for region in "ab"]
    a, b = (new - old for new, old in zip(after, before, strict=True))
    assert a > 5 < b, "half-way both regions are asked"


def test_anycast_moves_everybody_at_once(small):
    day = small(system=traffic())
    day.until(100.0)
    day.resolvers.move(["everyone"], "b", at_once=True)
    assert day.resolvers.share("everyone", "b") == 1.0


def test_broken_resolution_hurts_only_as_caches_expire_and_heals_within_a_retry(small):
    day = small(system=traffic())
    day.at(100.0, "break_dns", "dns", 1.0)
    day.at(130.0, "mend_dns", "dns", 1.0)
    day.until(129.0 + 1e-6)
    counts = day.resolvers._applied["everyone"]
    assert counts[-1] / RESOLVERS == pytest.approx(29.0 / 60.0, abs=tolerance(0.5))
    lost = sum(day.world.engine.observe().lost[0])
    assert lost == pytest.approx(40 * 29.0 * 29.0 / 60.0 / 2.0, rel=0.2)
    day.until(137.0)
    assert day.resolvers._applied["everyone"][-1] == 0


def test_a_share_of_failing_resolutions_leaves_that_share_of_tries_without_an_address(small):
    day = small(system=traffic(ttl="10s"))
    day.at(100.0, "break_dns", "dns", 0.5)
    day.until(300.0)
    # a cache holds an address 10 s after a success and none for 5 s after a failure: 1/2 x 5 against 1/2 x 10
    assert day.resolvers._applied["everyone"][-1] / RESOLVERS == pytest.approx(1.0 / 3.0, abs=0.05)


def test_nothing_happens_while_nothing_changes(small):
    day = small(system=traffic())
    day.until(500.0)
    assert [point[0] for point in day.series("dns.share", origin="everyone", region="a")] == [0.0]
    assert not day.resolvers._running


def test_a_record_that_moves_back_half_way_finds_the_clients_that_never_left(small):
    day = small(system=traffic())
    move(day, 100.0)
    day.until(130.0)
    day.resolvers.move(["everyone"], "a")
    assert day.resolvers.share("everyone", "a") == pytest.approx(0.5, abs=tolerance(0.5) + 1 / 60)
    day.until(192.0)
    assert day.resolvers.share("everyone", "a") == 1.0

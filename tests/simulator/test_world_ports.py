"""What faults do to the simulated system, how they overlap, and that each undo gives back exactly what its do took."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.traffic.plan import Reason
from tests.simulator.small import ORDERS, small

BOOT_S = 10.0
MANUAL = {"databases": {"orders": {"mode": "manual", "promote": "1s", "route": "1s"}}}


def lost(day, reason, flow=0):
    return day.seen().lost[flow][reason]


# -- processes ----------------------------------------------------------------------------------------------------------


def test_two_kills_need_two_restarts():
    day = small()
    first, second = day.do("kill", "service/shop@a1"), day.do("kill", "instance/shop@a1/0")
    day.do("restart", "service/shop@a1")
    day.until(BOOT_S + 1.0)
    assert not day.unit("shop@a1/0").serving
    day.world.restart(second)
    day.until(2 * BOOT_S + 2.0)
    assert day.unit("shop@a1/0").serving
    assert first.refs == second.refs


def test_a_killed_instance_fails_what_it_held_and_refuses_what_comes():
    day = small(shop={"service_time": "constant 1s", "slots": 50, "timeout": "5s", "health_check": {"interval": "1h"}})
    day.until(5.0)
    held = day.seen().busy[day.station("shop", "a")]
    assert held > 5
    day.do("kill", "service/shop@a")
    assert lost(day, Reason.CRASHED) == held
    day.until(7.0)
    assert lost(day, Reason.REFUSED) > 20
    assert day.seen().offered[0] == day.seen().good[0] + sum(day.seen().lost[0]), "nothing is held by a dead service"


def test_a_restarted_instance_serves_after_its_boot_time_and_not_before():
    day = small()
    day.do("kill", "service/shop")
    day.do("restart", "service/shop")
    day.until(BOOT_S - 0.001)
    assert not day.unit("shop@b1/0").serving
    assert not day.engine_instance("shop@b1/0").up
    day.until(BOOT_S + 0.001)
    assert day.unit("shop@b1/0").serving
    assert day.engine_instance("shop@b1/0").up


def test_a_kill_during_the_boot_begins_the_boot_anew():
    day = small()
    first = day.do("kill", "instance/shop@a1/0")
    day.world.restart(first)
    day.until(6.0)
    second = day.do("kill", "instance/shop@a1/0")
    day.until(7.0)
    day.world.restart(second)
    day.until(7.0 + BOOT_S - 0.001)
    assert not day.unit("shop@a1/0").serving, "the boot that was broken off at 6 s would have ended at 10 s"
    day.until(7.0 + BOOT_S + 0.001)
    assert day.unit("shop@a1/0").serving


def test_what_is_killed_during_its_boot_stays_dead():
    day = small()
    day.world.restart(day.do("kill", "instance/shop@a1/0"))
    day.until(6.0)
    day.do("kill", "instance/shop@a1/0")
    day.until(2 * BOOT_S)
    assert not day.engine_instance("shop@a1/0").up
    assert not day.unit("shop@a1/0").serving


def test_an_instance_frozen_before_it_died_is_frozen_when_it_runs_again():
    day = small()
    frozen, killed = day.do("freeze", "instance/shop@a1/0"), day.do("kill", "instance/shop@a1/0")
    day.world.restart(killed)
    day.until(BOOT_S + 1.0)
    assert not day.unit("shop@a1/0").serving
    assert day.engine_instance("shop@a1/0").frozen
    day.world.resume(frozen)
    assert day.unit("shop@a1/0").serving
    assert not day.engine_instance("shop@a1/0").frozen


def test_a_frozen_instance_answers_nothing_and_goes_on_where_it_was():
    day = small(shop={"instances": {"a1": 1}, "slots": 20, "queue": 1000, "health_check": {"interval": "1h"}})
    day.until(10.0)
    frozen, good = day.do("freeze", "service/shop"), day.seen().good[0]
    day.until(11.0)
    assert day.seen().good[0] == good
    day.world.resume(frozen)
    day.until(12.5)
    assert day.seen().lost[0] == [0] * len(Reason), "a second of standing still loses nobody who waits five"
    assert day.seen().good[0] - good > 30


def test_a_dead_zone_takes_its_instances_nodes_and_reachability_and_only_its_own():
    day = small(system={"databases": {"orders": ORDERS}})
    pinned = day.do("kill", "zone/a1")
    assert not day.world.zone_alive("a1")
    assert not day.world.reachable("outside", "zone/a1")
    assert not day.unit("shop@a1/0").serving
    assert not day.unit("database/orders@a1").serving
    assert day.unit("shop@a2/0").serving
    assert day.world.reachable("outside", "region/a"), "the other zone is still there"
    assert day.world.place_works("region/a")
    day.world.restart(pinned)
    assert day.world.reachable("outside", "zone/a1")
    day.until(BOOT_S + 1.0)
    assert day.unit("shop@a1/0").serving
    assert day.unit("database/orders@a1").serving


def test_a_dead_region_is_a_place_where_nothing_runs():
    day = small(schedule={"background": []}, monitoring={"location": "region/a"})
    day.do("kill", "region/a")
    assert not day.world.place_works("region/a")
    assert not day.world.place_works("zone/a2")
    assert day.world.place_works("region/b")
    assert day.world.place_works("outside")


def test_a_zone_killed_twice_is_alive_after_two_restarts():
    day = small()
    first, second = day.do("kill", "zone/a1"), day.do("kill", "region/a")
    day.world.restart(first)
    assert not day.world.zone_alive("a1")
    assert not day.world.zone_alive("a2")
    day.world.restart(second)
    assert day.world.zone_alive("a1")
    assert day.world.zone_alive("a2")


def test_a_primary_that_was_pinned_is_healed_as_the_node_it_was():
    day = small(system={"databases": {"orders": ORDERS}}, policies=MANUAL)
    pinned = day.do("slow", "database/orders/primary", 4.0)
    killed = day.do("kill", "database/orders/primary")
    assert day.world.clusters["orders"].request_promotion("test") is None
    day.until(10.0)
    assert day.world.clusters["orders"].primary == "b1"
    again = day.do("slow", "database/orders/primary", 4.0)
    assert (day.unit("database/orders@a1").slowdown, day.unit("database/orders@b1").slowdown) == (4.0, 4.0)
    day.world.unslow(again, 4.0)
    assert (day.unit("database/orders@a1").slowdown, day.unit("database/orders@b1").slowdown) == (4.0, 1.0)
    day.world.unslow(pinned, 4.0)
    day.world.restart(killed)
    day.until(30.0)
    assert day.unit("database/orders@a1").slowdown == 1.0
    assert day.unit("database/orders@a1").serving
    assert day.unit("database/orders@b1").serving


# -- work ---------------------------------------------------------------------------------------------------------------


def test_slow_times_slow_multiplies_and_each_is_undone_alone():
    day = small()
    day.do("slow", "service/shop", 2.0)
    day.do("slow", "zone/a1", 3.0)
    assert day.engine_instance("shop@a1/0").slowdown == 6.0
    assert day.engine_instance("shop@a2/0").slowdown == 2.0
    day.do("unslow", "service/shop", 2.0)
    assert day.engine_instance("shop@a1/0").slowdown == 3.0
    assert day.engine_instance("shop@a2/0").slowdown == 1.0


def test_shares_of_errors_combine_as_independent_causes():
    day = small()
    day.do("fail", "service/shop", 0.5)
    day.do("fail", "service/shop", 0.5)
    assert day.engine_instance("shop@a1/0").error_ratio == pytest.approx(0.75)
    day.do("recover", "service/shop", 0.5)
    assert day.engine_instance("shop@a1/0").error_ratio == pytest.approx(0.5)


def test_taken_slots_are_whole_slots_and_come_back():
    day = small(shop={"slots": 10})
    day.do("saturate", "service/shop", 0.25)
    assert day.engine_instance("shop@a1/0").slots == 7
    day.do("saturate", "service/shop", 0.5)
    assert day.engine_instance("shop@a1/0").slots == 3
    day.do("release", "service/shop", 0.25)
    assert day.engine_instance("shop@a1/0").slots == 5
    day.do("release", "service/shop", 0.5)
    assert day.engine_instance("shop@a1/0").slots == 10


def test_undoing_what_was_not_done_is_noticed():
    day = small()
    day.do("slow", "service/shop", 2.0)
    for port, target, *values in (
        ("unslow", "service/shop", 3.0),
        ("unslow", "service/shop@a", 2.0),
        ("restart", "service/shop"),
    ):
        with pytest.raises(AssertionError):
            day.do(port, target, *values)


_STEPS = st.lists(
    st.tuples(
        st.sampled_from([("slow", "unslow", 2.0), ("fail", "recover", 0.3), ("saturate", "release", 0.5), ("kill", "restart"), ("freeze", "resume")]),
        st.sampled_from(["service/shop", "zone/a1", "region/b", "instance/shop@a1/0"]),
        st.booleans(),
    ).filter(lambda step: step[1].startswith(("service", "instance")) or step[0][0] != "freeze"),
    max_size=10,
)  # fmt: skip


@given(_STEPS, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_whatever_was_done_in_whatever_order_it_is_undone_nothing_is_left(steps, random):
    day = small()
    undos = []
    for (do, undo, *values), target, grows in steps:
        undos.append((undo, day.do(do, target, *values), values))
        if grows and day.world.zone_alive("a1"):
            day.world.add_instance("shop", "a1")
    random.shuffle(undos)
    for undo, pinned, values in undos:
        getattr(day.world, undo)(pinned, *values)
    day.until(BOOT_S + 1.0)
    for units in day.world.units:
        for unit in units:
            inside = day.engine_instance(unit.name)
            assert unit.serving, unit
            assert (unit.kills, unit.freezes, unit.effects) == (0, 0, [])
            assert (inside.up, inside.frozen, inside.slots) == (True, False, unit.slots)
            assert (inside.slowdown, inside.error_ratio) == (1.0, 0.0)


# -- instances that come later --------------------------------------------------------------------------------------------


def test_an_instance_added_in_a_zone_dies_with_the_zone_and_with_its_service():
    day = small()
    name = day.world.add_instance("shop", "a1")
    zone = day.do("kill", "zone/a1")
    assert not day.unit(name).serving
    day.world.restart(zone)
    day.until(BOOT_S + 1.0)
    assert day.unit(name).serving
    for target in ("service/shop", "service/shop@a", "region/a"):
        pinned = day.do("slow", target, 2.0)
        assert day.unit(name).slowdown == 2.0, target
        day.world.unslow(pinned, 2.0)
    day.do("slow", "instance/shop@a1/0", 2.0)
    day.do("slow", "zone/a2", 2.0)
    assert day.unit(name).slowdown == 1.0


@pytest.mark.parametrize("target", ["service/shop", "service/shop@a", "service/shop@a2", "group/cohort"])
def test_a_release_reaches_instances_added_later_and_leaves_them_when_it_is_rolled_back(target):
    day = small(system={"groups": {"cohort": ["service/shop@a2", "instance/shop@b1/0"]}})
    shipped = day.do("ship", target, 0.25, 2.0)
    name, elsewhere = day.world.add_instance("shop", "a2"), day.world.add_instance("shop", "b1")
    assert (day.engine_instance(name).error_ratio, day.engine_instance(name).slowdown) == (0.25, 2.0)
    assert day.unit(elsewhere).slowdown == (2.0 if target == "service/shop" else 1.0)
    day.world.roll_back(shipped, 0.25, 2.0)
    assert (day.engine_instance(name).error_ratio, day.engine_instance(name).slowdown) == (0.0, 1.0)
    assert day.engine_instance(day.world.add_instance("shop", "a2")).slowdown == 1.0


def test_slowness_meets_newcomers_but_bad_state_and_lost_slots_belong_to_those_that_were_hit():
    day = small()
    slowed = day.do("slow", "zone/a1", 3.0)
    day.do("fail", "service/shop", 0.5)
    day.do("saturate", "service/shop", 0.5)
    newcomer = day.engine_instance(day.world.add_instance("shop", "a1"))
    assert (newcomer.slowdown, newcomer.error_ratio, newcomer.slots) == (3.0, 0.0, 4)
    day.world.unslow(slowed, 3.0)
    day.do("recover", "service/shop", 0.5)
    day.do("release", "service/shop", 0.5)
    assert (newcomer.slowdown, newcomer.error_ratio, newcomer.slots) == (1.0, 0.0, 4)


def test_an_instance_given_back_finishes_what_it_holds_and_is_gone():
    day = small(shop={"instances": {"a1": 1}, "service_time": "constant 3s", "slots": 100, "timeout": "10s"})
    name = day.world.add_instance("shop", "a1")
    day.until(5.0)
    assert day.engine_instance(name).running
    day.world.retire(day.unit(name))
    assert not day.unit(name).serving
    day.until(7.9)
    assert day.engine_instance(name).up, "the last request it took ends at 8 s"
    day.until(9.5)
    assert not day.engine_instance(name).up
    assert day.seen().slots[day.station("shop", "a")] == 100
    assert day.seen().lost[0][Reason.CRASHED] == 0
    zone = day.do("kill", "zone/a1")
    day.world.restart(zone)
    day.until(9.5 + BOOT_S + 1.0)
    assert not day.engine_instance(name).up, "what was given back does not come back with its zone"


def test_slots_are_counted_to_the_instant():
    day = small(shop={"instances": {"a1": 2}, "slots": 4})
    station = day.station("shop", "a")
    day.at(2.5, lambda: day.do("kill", "instance/shop@a1/0"))
    day.at(4.0, lambda: day.do("restart", "instance/shop@a1/0"))
    day.at(6.0, lambda: day.do("saturate", "instance/shop@a1/1", 0.5))
    day.until(20.0)
    both, one = 2.5, 14.0 - 2.5
    expected = both * 8 + one * 4 + 6.0 * 8 - 14.0 * 2
    assert day.world.slot_s(station) == pytest.approx(expected)
    assert day.seen().slots[station] == 6

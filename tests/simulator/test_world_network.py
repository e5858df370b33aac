"""Links, names, databases and providers of the simulated system under faults, in each direction and combined."""

import pytest

from gameday.errors import GamedayError
from gameday.selectors import Selector
from sim.traffic.plan import Reason
from tests.simulator.small import BUY, ORDERS, SHOP, small


def lost(day, reason, flow=0):
    return day.seen().lost[flow][reason]


# -- network --------------------------------------------------------------------------------------------------------------

FAR = {"calls": [{"to": "back", "timeout": "300ms"}]}
BACK = {"back": {**SHOP, "instances": {"b1": 1}, "service_time": "constant 1ms"}}


def test_a_link_cut_one_way_swallows_requests_one_way_and_answers_the_other():
    there, back = (
        small(shop={**FAR, "instances": {"a1": 1}}, services=BACK),
        small(shop={**FAR, "instances": {"a1": 1}}, services=BACK),
    )
    there.do("cut", "link/a->b")
    back.do("cut", "link/b->a")
    for day in (there, back):
        day.until(20.0)
        assert day.seen().good[0] == 0
        assert lost(day, Reason.PARTITIONED) > 100
    station = there.station("back", "b")
    assert there.seen().arrived[station] == 0
    assert back.seen().completed[station] > 100, "the work is done, only the answers are lost"


def test_a_cut_link_is_not_reachable_either_way_and_cuts_count():
    day = small()
    first, second = day.do("cut", "link/a->b"), day.do("cut", "link/a<->b")
    assert day.world.reachable("outside", "region/b")
    day.world.mend(second)
    assert not day.world.reachable("region/a", "region/b")
    assert not day.world.reachable("region/b", "region/a"), "a question over the open direction gets no answer"
    day.world.mend(first)
    assert day.world.reachable("region/a", "region/b")


def test_a_region_cut_off_from_the_internet_answers_nobody_outside():
    day = small()
    day.do("cut", "link/internet<->a")
    assert not day.world.reachable("outside", "region/a")
    assert day.world.reachable("region/b", "region/a")
    day.until(10.0)
    assert day.seen().good[0] == 0


def test_a_link_between_zones_of_one_region_can_be_cut():
    day = small(shop={**FAR, "instances": {"a1": 1}}, services={"back": {**BACK["back"], "instances": {"a2": 1}}})
    day.do("cut", "link/a1->a2")
    day.until(5.0)
    assert day.seen().good[0] == 0


def test_a_cut_dependency_stops_one_callers_calls_and_nobody_elses():
    services = {**BACK, "other": {**SHOP, **FAR, "instances": {"a1": 1}}}
    classes = {"buy": BUY, "look": {**BUY, "entry": "other"}}
    day = small(shop={**FAR, "instances": {"a1": 1}}, services=services, classes=classes)
    pinned = day.do("cut", "dependency/shop->back")
    day.until(10.0)
    assert day.seen().good[0] == 0
    assert lost(day, Reason.PARTITIONED) > 100
    assert day.seen().good[1] > 150
    day.world.mend(pinned)
    day.until(20.0)
    assert day.seen().good[0] > 150


def test_latencies_of_shaped_links_add_and_losses_combine():
    day = small(shop={**FAR, "instances": {"a1": 1}, "timeout": "3s"}, services=BACK)
    first = day.do("shape", "link/a->b", 0.05, 0.5)
    day.do("shape", "link/a->b", 0.1, 0.5)
    zones = day.world.wiring.zones
    path = day.world.engine._paths[zones["a1"]][zones["b1"]]
    assert path.delay_s == pytest.approx(0.02 + 0.15)
    assert path.there_loss == pytest.approx(0.75)
    day.world.unshape(first, 0.05, 0.5)
    assert path.delay_s == pytest.approx(0.02 + 0.1)
    assert path.there_loss == pytest.approx(0.5)
    back = day.world.engine._paths[zones["b1"]][zones["a1"]]
    assert back.back_extra_s == pytest.approx(0.1), "the answer of a call the other way travels this direction"


def test_the_managed_queue_of_a_region_hangs_on_its_links():
    queues = {"mail": {"consumer": "back"}}
    services = {"back": {**BACK["back"], "instances": {"b1": 1}}}
    shop = {"calls": [{"to": "queue/mail", "timeout": "300ms"}], "instances": {"a1": 1}}
    day = small(shop=shop, services=services, system={"queues": queues})
    day.do("cut", "link/a->b")
    day.until(5.0)
    assert day.seen().good[0] == 0


def test_a_dead_provider_fails_its_callers_until_it_is_back():
    provider = {"pay": {"service_time": "10ms", "boot": "2s"}}
    day = small(shop={"calls": [{"to": "provider/pay"}]}, system={"providers": provider})
    pinned = day.do("kill", "provider/pay")
    day.until(5.0)
    assert day.seen().good[0] == 0
    day.world.restart(pinned)
    day.until(6.9)
    assert day.seen().good[0] == 0
    day.until(9.0)
    assert day.seen().good[0] > 20


# -- names, databases -------------------------------------------------------------------------------------------------------


def test_broken_resolution_hurts_when_caches_expire_and_is_over_when_it_is_mended():
    day = small(system={"traffic": {"dns": {"ttl": "20s", "ignore_ttl": "0%", "resolvers": 500}}})
    day.until(10.0)
    pinned = day.do("break_dns", "dns", 1.0)
    day.until(60.0)
    assert lost(day, Reason.DNS) > 400
    assert day.good_between(10.0, 12.0) > 0.7, "caches live on at first"
    assert day.good_between(32.0, 59.0) == 0.0
    day.world.mend_dns(pinned, 1.0)
    day.until(90.0)
    assert day.good_between(68.0, 89.0) == 1.0


def test_a_full_disk_takes_no_writes_but_answers_reads():
    shop = {
        "calls": [
            {"to": "database/orders", "operation": "write", "for": ["buy"]},
            {"to": "database/orders", "operation": "read", "for": ["look"]},
        ]
    }
    classes = {"buy": BUY, "look": BUY}
    day = small(shop=shop, system={"databases": {"orders": ORDERS}}, classes=classes)
    pinned = day.do("fill_disk", "database/orders/primary")
    day.until(10.0)
    assert day.seen().good[0] == 0
    assert lost(day, Reason.READ_ONLY) > 100
    assert day.seen().good[1] > 100
    day.world.free_disk(pinned)
    day.until(20.0)
    assert day.seen().good[0] > 100


def test_a_selector_that_names_nothing_is_refused_in_words():
    with pytest.raises(GamedayError, match="shop has no instance in b"):
        small(shop={"instances": {"a": 1}}).world.pin(Selector.parse("service/shop@b"))

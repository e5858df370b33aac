"""What callers do, from the words of a scenario to the record of its day: every reason of loss reaches the series and the traces."""

import sim
from gameday.report.words import LOST_WORDS
from sim.traffic.plan import Reason
from tests.simulator.small import BUY, scenario

SLOW = {"instances": 2, "slots": 50, "service_time": "exponential 100ms", "boot": "5s"}
CALL = {"to": "back", "timeout": "400ms"}


def lost(**call):
    """Reasons for which requests of a short day are lost when the shop calls a slow service in this way, in series and in traces."""
    busy = {**BUY, "rate": "60/s", **call.pop("buy", {})}
    day = sim.run(
        scenario(
            services={"back": SLOW},
            shop={"slots": 100, "calls": [{**CALL, **call}]},
            classes={"buy": busy},
            duration="2m",
        ),
        1,
        traced=True,
    )
    written = {dict(each.labels)["reason"] for each in day.series if each.name == "requests.lost"}
    assert written <= set(LOST_WORDS)
    return written, {trace.outcome.lower() for trace in day.traces} - {"ok"}


def test_a_request_that_waited_in_vain_for_a_connection_is_traced():
    written, traced = lost(pool={"connections": 1, "wait": "50ms"})
    assert "pool" in written
    assert "pool" in traced


def test_a_full_bulkhead_is_told():
    written, traced = lost(bulkhead=1)
    assert "bulkhead" in written
    assert "bulkhead" in traced


def test_a_deadline_that_travels_is_told():
    written, traced = lost(buy={"deadline": "150ms", "propagate_deadline": True})
    assert written == traced == {"deadline"}


def test_hedges_and_cancelled_work_can_be_traced():
    written, _ = lost(hedge="50ms", cancel="running", buy={"timeout": "200ms"})
    assert "timeout" in written


def test_every_reason_has_words():
    assert set(LOST_WORDS) == {reason.name.lower() for reason in Reason}

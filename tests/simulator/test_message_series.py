"""What a day writes about its message queues."""

from gameday.selectors import Selector
from tests.simulator.small import small


def test_backlog_and_dead_letters_are_written_every_five_seconds():
    day = small(
        shop={"calls": [{"to": "queue/mail", "mode": "async"}]},
        services={"mailer": {"instances": 1, "slots": 2, "service_time": "constant 20ms"}},
        system={"queues": {"mail": {"consumer": "mailer", "consumers": 2, "redeliver": {"attempts": 0}}}},
    )
    day.until(20.0)
    day.world.fail(day.world.pin(Selector.parse("service/mailer")), 1.0)
    day.until(61.0)
    dead = dict(day.series("queue.dead_letters", queue="mail", region="a"))
    assert dead[20.0] == 0
    assert 300 < dead[60.0] - dead[40.0] < 500, "twenty messages a second, none of which is delivered"
    assert all(value >= 0 for _, value in day.series("queue.backlog", queue="mail", region="a"))
    assert day.good_between(30.0, 60.0) == 1.0

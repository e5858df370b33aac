"""The same alerts to a real Alertmanager and to our dispatcher: the same notifications, event by event.

Timers are seconds instead of minutes. In the script all flushes lie between the instants at which alerts are sent, so that the machine's
haste decides nothing; of the random worlds, which have a branch of the tree each, those are left out in which it might. What is compared is
who is told what, in which order, and at which of the group's flushes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gameday.alerting.matchers import parse_matchers
from tests.alerting import alertmanager
from tests.alerting.alertmanager import Alertmanager
from tests.alerting.both import FAR, Send, Sent, World, compare

pytestmark = pytest.mark.skipif(alertmanager.PROGRAM is None, reason="prometheus-alertmanager is not installed")

ROUTING: dict[str, Any] = {
    "receivers": {"all": {}, "pay": {}, "copy": {}, "quiet": {"send_resolved": False}, "never": {}, "always": {}},
    "time_intervals": {"ever": [{"years": ["2000:2100"]}], "never": [{"years": ["2000:2001"]}]},
    "route": {
        "receiver": "all",
        "group_by": ["alertname"],
        "group_wait": "2s",
        "group_interval": "4s",
        "repeat_interval": "6s",
        "routes": [
            {"matchers": ['team="pay"'], "receiver": "pay", "group_by": ["team"], "repeat_interval": "1h", "continue": True},
            {"matchers": ['team=~"p.*"'], "receiver": "copy", "group_by": ["..."], "repeat_interval": "1h"},
            {"matchers": ['team="q"'], "receiver": "quiet", "repeat_interval": "1h"},
            {"matchers": ['team="night"'], "receiver": "never", "mute_time_intervals": ["ever"]},
            {"matchers": ['team="off"'], "receiver": "never", "active_time_intervals": ["never"]},
            {"matchers": ['team="day"'], "receiver": "always", "active_time_intervals": ["ever"], "repeat_interval": "1h"},
        ],
    },
}
WORLDS = 40
HASTE_S = 0.2
"""An alert that is sent, or ends, so close to a flush may come before or after it."""
LATE_S = 1.9
"""A busy machine may tell so late; flushes of a group lie four seconds apart."""
INHIBITIONS = [
    {"source": 'world!="", alertname=~".*-A"', "target": 'world!="", alertname=~".*-B"', "equal": ["world", "team"]},
    {"source": 'alertname="Down"', "target": 'kind="symptom"', "equal": ["region"]},
    {"source": 'kind="both"', "target": 'kind="both"', "equal": []},
]
SILENCES = [('team="pay", alertname="Known"', 0.0, FAR), ('alertname=~"Brief.*"', 0.0, 7.0)]


def alert(name: str, **labels: str) -> Mapping[str, str]:
    return {"alertname": name, **labels}


SCRIPT: list[Send] = [
    (1.0, alert("Alone"), 1.0, FAR),
    (1.0, alert("Gone"), 1.0, FAR),
    (1.0, alert("Slow", team="pay", kind="symptom", region="a"), 1.0, FAR),
    (1.0, alert("Slow", team="pay", kind="symptom", region="b"), 1.0, FAR),
    (1.0, alert("Down", team="pay", region="a"), 1.0, FAR),
    (1.0, alert("Known", team="pay"), 1.0, FAR),
    (1.0, alert("Brief"), 1.0, FAR),
    (1.0, alert("Quiet", team="q"), 1.0, FAR),
    (1.0, alert("Night", team="night"), 1.0, FAR),
    (1.0, alert("Off", team="off"), 1.0, FAR),
    (1.0, alert("Day", team="day"), 1.0, FAR),
    (1.0, alert("Both1", kind="both"), 1.0, FAR),
    (1.0, alert("Both2", kind="both"), 1.0, FAR),
    (1.0, alert("Old", team="old"), -60.0, FAR),
    (1.0, alert("Lapses"), 1.0, 9.0),
    (1.0, alert("Over", team="over"), -60.0, 0.5),
    (2.0, alert("Gone"), 1.0, 2.0),
    (5.0, alert("Late", team="pay"), 5.0, FAR),
    (5.0, alert("Quiet", team="q"), 1.0, 5.0),
    (5.0, alert("Alone"), 1.0, 5.0),
    (5.0, alert("Over", team="over"), 5.0, FAR),
    (6.0, alert("Alone"), 6.0, FAR),
    (9.0, alert("Down", team="pay", region="a"), 1.0, 9.0),
    (9.0, alert("Slow", team="pay", kind="symptom", region="b"), 1.0, 9.0),
    (9.0, alert("Day", team="day"), 1.0, 9.0),
    (12.5, alert("Day", team="day"), 12.5, FAR),
    (13.0, alert("Late", team="pay"), 5.0, 13.0),
]
ENDS = 20.0


def world_route(name: str, chance: random.Random) -> dict[str, Any]:
    """A branch of the tree for the alerts of one world."""
    teams = ['team="p"', 'team!="p"', 'team=~"p|q"', f'alertname="{name}-A"']

    def settings() -> dict[str, Any]:
        return {
            "group_by": chance.choice([["alertname"], ["team"], ["..."], ["world"]]),
            "group_wait": chance.choice(["1500ms", "2500ms"]),
            "group_interval": chance.choice(["3s", "5s"]),
            "repeat_interval": chance.choice(["4s", "7s", "1h"]),
        }

    children = [
        {
            "matchers": [chance.choice(teams)],
            "receiver": f"{name}-{number}",
            "continue": chance.random() < 0.5,
            **(settings() if chance.random() < 0.5 else {}),
        }
        for number in range(chance.randint(0, 2))
    ]
    return {"matchers": [f'world="{name}"'], "receiver": name, **settings(), "routes": children}


def world_script(name: str, chance: random.Random) -> list[Send]:
    """Alerts that begin, end and come again, some of them long ago."""
    sends: list[Send] = []
    for at in sorted(float(chance.randint(1, 14)) for _ in range(chance.randint(3, 9))):
        labels = alert(f"{name}-{chance.choice('ABC')}", world=name, team=chance.choice("pq"))
        known = [send for send in sends if send[1] == labels]
        if known and known[-1][3] > at and chance.random() < 0.7:
            sends.append((at, labels, known[-1][2], at))
        else:
            sends.append((at, labels, at - chance.choice([0.0, 0.0, 30.0]), at + chance.choice([3.0, FAR])))
    return sends


NAMES = [f"w{number}" for number in range(WORLDS)]
ROUTING["route"]["routes"] = [world_route(name, random.Random(name)) for name in NAMES] + ROUTING["route"]["routes"]
ROUTING["receivers"] |= {
    name: {"send_resolved": number % 3 > 0}
    for world in NAMES
    for number, name in enumerate((world, f"{world}-0", f"{world}-1"), start=int(world[1:]))
}
EVERYTHING = sorted(
    [*SCRIPT, *(send for name in NAMES for send in world_script(name, random.Random(name)))], key=lambda send: send[0]
)

WORLD = World(ROUTING, ENDS, INHIBITIONS, SILENCES)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanager]:
    folder: Path = tmp_path_factory.mktemp("alertmanager")
    manager = alertmanager.start(folder, WORLD.configuration)
    try:
        for matchers, starts, ends in SILENCES:
            parts = [
                {"name": m.label, "value": m.value, "isEqual": m.operator[0] == "=", "isRegex": m.operator[1:] == "~"}
                for m in parse_matchers(matchers)
            ]
            body = {"matchers": parts, "startsAt": manager.wall(starts), "endsAt": manager.wall(ends)}
            manager.post("silences", {**body, "createdBy": "test", "comment": "test"})
        yield manager
    finally:
        manager.stop()


@pytest.fixture(scope="module")
def sent(real: Alertmanager) -> Sent:
    return WORLD.send_all(real, EVERYTHING)


def test_a_real_alertmanager_notifies_what_our_dispatcher_notifies(real: Alertmanager, sent: Sent) -> None:
    scripted = [(at, send) for at, send in sent if "world" not in send[1]]
    theirs = [hook for hook in real.hooks if hook.at <= ENDS and not hook.receiver.startswith("w")]
    assert compare(theirs, WORLD.ours(scripted, real.wall_began)[0], LATE_S) >= 10, "the script reaches many groups"


def test_a_real_alertmanager_agrees_in_random_worlds(real: Alertmanager, sent: Sent) -> None:
    groups = compared = 0
    for name in NAMES:
        own = [(at, send) for at, send in sent if send[1].get("world") == name]
        expected, flushes = WORLD.ours(own, real.wall_began)
        instants = [at for at, _ in own] + [send[3] for _, send in own] + [ENDS]
        hurried = any(0 < abs(flush - at) < HASTE_S for flush in flushes for at in instants)
        if not hurried:
            theirs = [hook for hook in real.hooks if hook.at <= ENDS and hook.receiver.partition("-")[0] == name]
            groups += compare(theirs, expected, LATE_S)
            compared += 1
    assert compared >= WORLDS // 8, "most worlds hang on the haste of the machine"
    assert groups > compared, "worlds have more than one group"

"""Hours on the clocks of other places, in a real Alertmanager and in ours: the same alerts are muted, also while the clocks change.

The clock of a real program cannot be set, so everything is written around the present instant: random intervals in places where it is
another hour, day or month now; and made-up places whose clocks are put forward or back a few seconds after the start (zone files of our own,
which Go finds through `ZONEINFO` and Python through its search path).
"""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
import zoneinfo
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gameday.alerting.time_intervals import MONTHS, WEEKDAYS, wall_interval
from gameday.people import zone
from gameday.scenario.routing import TimeInterval
from gameday.scenario.writing import yaml_text
from tests.alerting import alertmanager
from tests.alerting.alertmanager import Alertmanager
from tests.alerting.both import FAR, Sent, World, compare

AMTOOL = shutil.which("amtool")
PLACES = [
    "Pacific/Kiritimati",
    "Pacific/Chatham",
    "Pacific/Auckland",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Europe/Berlin",
    "Africa/Casablanca",
    "America/St_Johns",
    "America/Los_Angeles",
    "Pacific/Pago_Pago",
]
"""From 14 hours before UTC to 11 behind, whole hours and halves and quarters, summer on both halves of the earth."""
PARTS = ["times", "weekdays", "days_of_month", "months", "years"]
RANDOM_HOURS = 40
JUMPS_S = (4, 6, 7)
"""Most of them between two flushes, however long the program took to start."""
INTERVAL_S = 3.0
ENDS = 10.5
HASTE_S = 0.2
GROUPING = {"group_wait": "1s", "group_interval": "3s", "repeat_interval": "1h"}
AT_EVERY_FLUSH = {"repeat_interval": "1s"}


@dataclass(frozen=True)
class MadeUpZone:
    """A place whose clocks jump by an hour: at `local` on the clock before the jump, forward or back."""

    name: str
    jump_s: int
    local: timedelta
    forward: bool
    by_rule: bool = False
    """Whether the file holds the jump as a yearly rule instead of an instant."""

    def jump(self, began: datetime) -> datetime:
        """When, UTC."""
        return began.replace(microsecond=0) + timedelta(seconds=self.jump_s)

    def before(self, began: datetime) -> int:
        """Seconds ahead of UTC before the jump."""
        jump = self.jump(began)
        return int((self.local - (jump - jump.replace(hour=0, minute=0, second=0))).total_seconds())

    def write(self, folder: Path, began: datetime) -> None:
        """The zone file (RFC 8536, version 2)."""
        jump, before = self.jump(began), self.before(began)
        after = before + (3600 if self.forward else -3600)
        rule = ""
        if self.by_rule:
            local = jump + timedelta(seconds=before)
            away = date(2025, local.month, min(local.day, 28 if local.month == 2 else 31)).timetuple().tm_yday
            back = (away + 60) % 365 + 1
            rule = f"<STD>{_posix(-before)}<DST>{_posix(-after)},J{away}/{local:%H:%M:%S},J{back}/12:00:00"
        instants = [] if self.by_rule else [int(jump.timestamp())]
        file = folder / self.name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(
            _zone_block([], ">i", [before, after]) + _zone_block(instants, ">q", [before, after]) + f"\n{rule}\n".encode()
        )

    def interval(self, began: datetime) -> dict[str, Any]:
        """An interval that the jump leaves: an hour of the day, or the day itself."""
        today = self.jump(began) + timedelta(seconds=self.before(began))
        hour = today.hour
        part: dict[str, Any] = {
            NOON: {"times": [{"start_time": f"{hour:02}:00", "end_time": f"{hour + 1:02}:00"}]},
            LATE: {"weekdays": [WEEKDAYS[today.isoweekday() % 7]]},
            EARLY: {"days_of_month": [str(today.day)]},
        }[self.local]
        return {**part, "location": self.name}


def _posix(offset_s: int) -> str:
    sign, rest = ("-" if offset_s < 0 else "+"), abs(offset_s)
    return f"{sign}{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"


def _zone_block(instants: list[int], of: str, offsets: list[int]) -> bytes:
    names = b"STD\0DST\0"
    counts = struct.pack(">6l", 0, 0, 0, len(instants), len(offsets), len(names))
    kinds = b"".join(struct.pack(">lBB", offset, number, 4 * number) for number, offset in enumerate(offsets))
    return (
        b"TZif2"
        + bytes(15)
        + counts
        + b"".join(struct.pack(of, each) for each in instants)
        + b"\1" * len(instants)
        + kinds
        + names
    )


NOON, LATE, EARLY = timedelta(hours=12, minutes=30), timedelta(hours=23, minutes=30), timedelta(minutes=30)
SHAPES = [("on", NOON, True), ("back", NOON, False), ("tomorrow", LATE, True), ("yesterday", EARLY, False)]
ZONES = [
    MadeUpZone(f"Made-up/{word}-{jump}-{'rule' if by_rule else 'instant'}", jump, local, forward, by_rule)
    for number, (word, local, forward) in enumerate(SHAPES)
    for by_rule in (False, True)
    for jump in (JUMPS_S[(number + by_rule) % 3], JUMPS_S[(number + by_rule + 1) % 3])
]


def hours_around(chance: random.Random, now: datetime) -> dict[str, Any]:
    """An interval of one to three parts somewhere, each of them true now on its own clock or on that of another place."""
    place = chance.choice(PLACES)
    written: dict[str, Any] = {"location": place}
    for part in chance.sample(PARTS, chance.randint(1, 3)):
        local = now.astimezone(ZoneInfo(chance.choice([place, place, *PLACES])))
        last = (local.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        first = chance.randint(0, local.hour)
        weekday = local.isoweekday() % 7
        written[part] = {
            "times": [{"start_time": f"{first:02}:00", "end_time": f"{min(24, local.hour + chance.randint(1, 6)):02}:00"}],
            "weekdays": [chance.choice([WEEKDAYS[weekday], f"{WEEKDAYS[chance.randint(0, weekday)]}:{WEEKDAYS[weekday]}"])],
            "days_of_month": [
                chance.choice([str(local.day), str(local.day - last.day - 1), f"1:{local.day}", f"{local.day}:31"])
            ],
            "months": [chance.choice([MONTHS[local.month - 1], str(local.month), f"1:{local.month}"])],
            "years": [chance.choice([str(local.year), f"2000:{local.year}"])],
        }[part]
    return written


def world_of(intervals: Mapping[str, Mapping[str, Any]]) -> World:
    """A branch that the interval mutes and one that it lets through, for each."""
    names = [f"{name} {how}" for name in intervals for how in ("mute", "active")]
    routes = [
        {
            "matchers": [f'hours="{name}"'],
            "receiver": name,
            f"{name.rpartition(' ')[2]}_time_intervals": [name.rpartition(" ")[0]],
            **(AT_EVERY_FLUSH if name.startswith("Made-up") else {}),
        }
        for name in names
    ]
    top = {"receiver": "rest", "group_by": ["hours"], **GROUPING, "routes": routes}
    routing = {
        "receivers": {name: {} for name in ["rest", *names]},
        "time_intervals": {name: [interval] for name, interval in intervals.items()},
        "route": top,
    }
    return World(routing, ENDS)


@dataclass(frozen=True)
class Played:
    written: datetime
    world: World
    real: Alertmanager
    sent: Sent


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    if alertmanager.PROGRAM is None:
        pytest.skip("prometheus-alertmanager is not installed")
    folder: Path = tmp_path_factory.mktemp("hours")
    now = datetime.now(UTC)
    for made_up in ZONES:
        made_up.write(folder / "zones", now)
    chance = random.Random("hours")
    intervals = {made_up.name: made_up.interval(now) for made_up in ZONES}
    intervals |= {f"random-{number}": hours_around(chance, now) for number in range(RANDOM_HOURS)}
    world = world_of(intervals)
    zoneinfo.reset_tzpath([str(folder / "zones"), *zoneinfo.TZPATH])
    real = alertmanager.start(folder, world.configuration, folder / "zones")
    try:
        names = [name for name in world.routing["receivers"] if name != "rest"]
        yield Played(
            now, world, real, world.send_all(real, [(1.0, {"alertname": name, "hours": name}, 1.0, FAR) for name in names])
        )
    finally:
        real.stop()
        zoneinfo.reset_tzpath()
        zone.cache_clear()


def agreeing(played: Played, name: str, jumps_s: list[float]) -> list[float] | None:
    """When both told the receiver, or None where the haste of the machine decides; asserts that they agree."""
    own = [(at, send) for at, send in played.sent if send[1]["hours"] == name]
    hooks, flushes = played.world.ours(own, played.real.wall_began)
    if any(abs(flush - at) < HASTE_S for flush in flushes for at in [*jumps_s, ENDS]):
        return None
    compare([hook for hook in played.real.hooks if hook.at <= ENDS and hook.receiver == name], hooks, INTERVAL_S - 1)
    return [hook.at for hook in hooks]


def test_hours_on_the_clocks_of_other_places_mute_what_a_real_alertmanager_mutes(played: Played) -> None:
    began = played.real.wall_began
    full_minutes = [60.0 - began.second - began.microsecond / 1e6]
    told = {
        how: [agreeing(played, f"random-{number} {how}", full_minutes) for number in range(RANDOM_HOURS)]
        for how in ("mute", "active")
    }
    compared = [(muted, active) for muted, active in zip(*told.values(), strict=True) if muted is not None and active is not None]
    assert len(compared) > RANDOM_HOURS / 2, "most hang on the haste of the machine"
    assert all(bool(muted) != bool(active) for muted, active in compared), "what mutes one lets the other through"
    assert sum(bool(muted) for muted, _ in compared) > 5, "some intervals do not hold now"
    assert sum(bool(active) for _, active in compared) > 5, "some intervals hold now"


def test_clocks_that_are_put_forward_or_back_move_the_hours_in_a_real_alertmanager_too(played: Played) -> None:
    told_on_both_sides = 0
    for made_up in ZONES:
        jump = (made_up.jump(played.written) - played.real.wall_began).total_seconds()
        muted, active = (agreeing(played, f"{made_up.name} {how}", [jump]) for how in ("mute", "active"))
        told_on_both_sides += bool(muted and active)
    assert told_on_both_sides > len(ZONES) / 2, "a jump between two flushes leaves the interval"


CLOCKS = [("7:30", "08:00"), ("07:30", "24:00"), ("00:00", "00:00"), ("23:00", "01:00"), (" 07:30", "08:00"), ("25:00", "26:00")]
WRITTEN: list[dict[str, Any]] = [{"times": [{"start_time": start, "end_time": end}]} for start, end in CLOCKS]
WRITTEN += [
    {part: [text]}
    for part, texts in {
        "weekdays": ["Monday", "MONDAY:friday", "saturday:sunday", "mon", "monday : friday", "monday:", ":monday", ""],
        "days_of_month": ["31", "32", "0", "-31", "-32", "5:1", "-1:-3", "1:-28", "5:-27", "31:-1", "-1:1", "1: 5", "1:2:3"],
        "months": ["12", "jan", "march:january", "1:march", "may : june", ""],
        "years": ["2026", "2027:2026", "2026:", " 2026"],
    }.items()
    for text in texts
]
WRITTEN += [
    {"location": name} for name in ["Europe/Berlin", "europe/berlin", "Etc/GMT+5", "EST5EDT", "../UTC", "/etc/localtime", "Asia"]
]


@pytest.mark.skipif(AMTOOL is None, reason="amtool is not installed")
def test_what_amtool_refuses_in_a_time_interval_is_refused_and_what_it_takes_is_taken(tmp_path: Path) -> None:
    differing = []
    for number, written in enumerate(WRITTEN):
        file = tmp_path / f"{number}.yml"
        top = {
            "route": {"receiver": "a"},
            "receivers": [{"name": "a"}],
            "time_intervals": [{"name": "x", "time_intervals": [written]}],
        }
        file.write_text(yaml_text(top), encoding="utf-8")
        theirs = (
            subprocess.run([str(AMTOOL), "check-config", str(file)], capture_output=True, check=False, timeout=30).returncode == 0
        )
        if theirs != _taken(written):
            differing.append((written, "taken by amtool" if theirs else "refused by amtool"))
    assert not differing


def test_a_part_without_elements_which_a_real_alertmanager_takes_for_never_is_refused() -> None:
    assert not [part for part in PARTS if _taken({part: []})]
    assert all(_taken({part: None}) for part in PARTS)


def _taken(written: Mapping[str, Any]) -> bool:
    try:
        wall_interval(TimeInterval.model_validate(written))
    except ValueError:
        return False
    return True

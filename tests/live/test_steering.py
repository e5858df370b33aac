"""People steer a live day: what waits for a word, the way back, and what they do with their own hands; or why they cannot."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

pytest.importorskip("psycopg", reason="needs the live extra")

from days import gameday, wait_until
from fake_lab import FakeLab, write_scenario
from test_region_failover import POLICY, Names, names, with_names

from experiments.clock import RunClock
from experiments.observe.alert_book import AlertBook
from experiments.observe.database_moves import DatabaseMoves
from experiments.observe.decisions import Decisions, Request
from experiments.observe.notebook import Notebook
from experiments.observe.pages import Pages
from experiments.observe.receivers import Receivers
from experiments.observe.region_failover import RegionFailover
from experiments.observe.steering import REFUSED, Refused, Steering
from experiments.public_record import prepare
from experiments.put_back import put_back
from gameday.scenario import read_scenario
from gameday.target import read_target
from gameday.timeline import Event
from gameday.timeline_files import read_timeline

ROLES = "response.roles={boss: [kim]}"
BOTH = {"a": "127.0.41.1", "b": "127.0.41.2"}


@dataclass
class Desk:
    """A controller that watches, and the people who may speak to it."""

    folder: Path
    held: Names
    steering: Steering

    def events(self, *kinds: str) -> list[Event]:
        return list(read_timeline(self.folder / "observer.jsonl").of(*kinds))

    def seen(self, kind: str, count: int = 1) -> bool:
        return wait_until(lambda: len(self.events(kind)) >= count)

    @property
    def places(self) -> dict[str, str]:
        found: dict[str, str] = self.held.record["addresses"]
        return found


@contextmanager
def desk(folder: Path, lab: FakeLab, policy: str) -> Iterator[Desk]:
    with names() as held:
        with_names(lab, held)
        settings = [f"policies.failover={policy}", ROLES, "response.people.lee={}"]
        scenario, target = read_scenario(write_scenario(folder), settings), read_target(lab.target_file)
        prepare(scenario, target, folder)
        notebook = Notebook(folder, "observer", RunClock.starting_in(0.0))
        decisions = Decisions(scenario.response.roles)
        databases = DatabaseMoves(scenario, target)
        failover = RegionFailover(scenario, target, notebook, Random("x"), decisions, databases)
        for look in failover.looks():
            threading.Thread(target=look, daemon=True).start()
        yield Desk(folder, held, Steering(scenario, target, notebook, folder, failover, decisions, databases))


def policy(**changes: str) -> str:
    back = changes.pop("failback", "{enabled: false}")
    more = "".join(f", {key}: {value}" for key, value in changes.items())
    return POLICY.replace("failback: {enabled: false}}", f"failback: {back}{more}}}")


def test_a_failover_waits_for_whoever_must_approve_it_and_for_nobody_else(tmp_path: Path, lab: FakeLab) -> None:
    with desk(tmp_path, lab, policy(approval="boss")) as day:
        with pytest.raises(Refused, match="nothing waits for approval"):
            day.steering.act("kim", "approve", "")
        lab.act("shop-a", "kill")
        assert day.seen("decision.proposed")
        with pytest.raises(Refused, match="failover of region/a waits for the boss: kim"):
            day.steering.act("lee", "approve", "")
        assert day.places == BOTH, "nothing moves without a word"
        assert day.steering.act("kim", "approve", "a") == "kim has approved the failover of region/a"
        assert day.seen("failover.completed")
        (approved,) = day.events("decision.approved")
        assert (approved.source, approved.data["by"], approved.data["decision"]) == ("human", "kim", "failover")
        assert day.places == {"b": "127.0.41.2"}
        assert day.events("failback.requested") == []


def test_a_rejected_failover_is_not_tried_again_and_says_who_rejected_it(tmp_path: Path, lab: FakeLab) -> None:
    with desk(tmp_path, lab, policy(approval="boss")) as day:
        lab.act("shop-a", "kill")
        assert day.seen("decision.proposed")
        day.steering.act("kim", "reject", "")
        assert day.seen("failover.failed")
        assert day.events("failover.failed")[0].data["why"] == "kim rejected it as boss"
        assert not wait_until(lambda: len(day.events("failover.triggered")) > 1, 3.0)
        assert day.places == BOTH


def test_a_region_that_recovers_while_nobody_approves_is_not_left(tmp_path: Path, lab: FakeLab) -> None:
    with desk(tmp_path, lab, policy(approval="boss")) as day:
        lab.act("shop-a", "kill")
        assert day.seen("decision.proposed")
        lab.act("shop-a", "restart")
        assert day.seen("failover.failed")
        assert "a recovered before anybody in the role of boss approved" in str(day.events("failover.failed")[0].data["why"])
        with pytest.raises(Refused, match="nothing waits"):
            day.steering.act("kim", "approve", "")


def test_the_way_back_waits_for_a_stable_home_and_a_word(tmp_path: Path, lab: FakeLab) -> None:
    with desk(tmp_path, lab, policy(failback="{approval: boss, stable_for: 2s}")) as day:
        lab.act("shop-a", "kill")
        assert day.seen("failover.completed")
        lab.act("shop-a", "restart")
        assert day.seen("failback.requested")
        assert float(day.events("failback.requested")[0].data["stable_s"]) >= 2.0
        assert day.places == {"b": "127.0.41.2"}
        day.steering.act("kim", "approve", "")
        assert day.seen("failback.completed")
        assert (day.events("failback.completed")[0].data["by"], day.places) == ("kim", BOTH)
        assert [event.data["to"] for event in day.events("dns.changed")] == ["b", "a"]
        lab.act("shop-a", "kill")
        assert day.seen("failover.completed", 2), "and it can be left again"


def test_a_home_that_fails_again_withdraws_the_request_and_without_an_approver_it_goes_by_itself(
    tmp_path: Path, lab: FakeLab
) -> None:
    with desk(tmp_path, lab, policy(failback="{approval: boss, stable_for: 1s}")) as day:
        lab.act("shop-a", "kill")
        assert day.seen("failover.completed")
        lab.act("shop-a", "restart")
        assert day.seen("failback.requested")
        lab.act("shop-a", "kill")
        lab.act("shop-a", "restart") if wait_until(lambda: _refused(day), 15.0) else pytest.fail("still waiting")
        assert day.seen("failback.requested", 2), "the next request needs a word of its own"
    (tmp_path / "alone").mkdir()
    with desk(tmp_path / "alone", lab, policy(failback="{approval: null, stable_for: 1s}")) as day:
        lab.act("shop-a", "kill")
        assert day.seen("failover.completed")
        lab.act("shop-a", "restart")
        assert day.seen("failback.completed")
        assert day.events("failback.approved") == []
        assert "role" not in day.events("failback.completed")[0].data


def _refused(day: Desk) -> bool:
    return not day.steering._decisions._waiting


def test_people_ask_for_a_failover_where_nothing_does_so_by_itself(tmp_path: Path, lab: FakeLab) -> None:
    with desk(tmp_path, lab, POLICY.replace("mode: automatic", "mode: manual")) as day:
        lab.act("shop-a", "kill")
        assert not wait_until(lambda: bool(day.events("failover.triggered")), 4.0)
        assert day.steering.act("lee", "failover", "a") == "the failover of region/a has begun"
        assert day.seen("failover.completed")
        (triggered,) = day.events("failover.triggered")
        assert (triggered.data["by"], triggered.data["why"]) == ("lee", "asked for by lee")
        assert [event.data["step"] for event in day.events("failover.step")] == ["check", "move"]
        with pytest.raises(Refused, match="a has been left already"):
            day.steering.act("lee", "failover", "region/a")
        with pytest.raises(Refused, match="no region takes over for b"):
            day.steering.act("lee", "failover", "b")


def test_what_nobody_can_do_here_is_refused_with_the_reason(tmp_path: Path, lab: FakeLab) -> None:
    with desk(tmp_path, lab, POLICY) as day:
        for action, why in REFUSED.items():
            with pytest.raises(Refused) as refusal:
                day.steering.act("kim", action, "service/shop")
            assert why in str(refusal.value)
        for arguments, words in {
            ("mo", "approve", ""): "'mo' is not in the cast: kim, lee",
            ("kim", "promot", ""): "did you mean 'promote'?",
            ("kim", "promote", "orders"): "the target has no database 'orders'",
            ("kim", "drain", "a"): "names no administration of a gateway in 'a'",
            ("kim", "disable_feature", "shop -> ads"): "no call that can be switched: the target names none",
        }.items():
            with pytest.raises(Refused) as refusal:
                day.steering.act(*arguments)
            assert words in str(refusal.value)
        assert day.events("action.started") == []
        assert put_back(tmp_path) == []


def test_the_command_reaches_the_day_and_prints_its_refusals(tmp_path: Path, lab: FakeLab) -> None:
    with desk(tmp_path, lab, POLICY) as day:
        scenario, notebook = day.steering._scenario, day.steering._notebook
        (tmp_path / "run" / "live").mkdir(parents=True)
        receivers = Receivers(
            scenario, notebook, Pages(scenario, notebook), "t", AlertBook(scenario, notebook), str, day.steering
        )
        receivers.start(tmp_path / "run" / "live")
        refused = gameday(tmp_path, "steer", "kim", "scale_out", "service/shop", "--run", "run")
        assert refused.returncode == 2
        assert refused.stderr.startswith("scale_out: a target has the instances that it has"), refused.stderr
        done = gameday(tmp_path, "steer", "kim", "failover", "a", "--run", "run")
        assert (done.returncode, done.stdout) == (0, "the failover of region/a has begun\n")
        assert day.seen("failover.completed")


def test_a_word_after_the_request_was_withdrawn_counts_for_nothing() -> None:
    decisions = Decisions({})
    request = decisions.ask(Request("failover", "region/a", "boss"))
    assert decisions.withdraw(request)
    assert not decisions.withdraw(request)
    assert decisions.say("kim", None, approved=True) == "nothing waits for approval"
    assert not request.wait(0.0)

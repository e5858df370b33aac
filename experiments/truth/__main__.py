"""The process of data truth: `python -m experiments.truth LIVE_FOLDER SCENARIO TARGET`; it judges when its standard input ends."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from experiments.adapters.patroni import state_of
from experiments.calls import CallError, call
from experiments.clock import RunClock
from experiments.observe.notebook import Notebook
from experiments.session import CLOCK_FILE
from experiments.truth.writers import ACCOUNTS, MONEY, SCHEMA, Bank, Client, Reader, Writer
from gameday.errors import GamedayError
from gameday.scenario import read_played
from gameday.scenario.model import Scenario
from gameday.target import Database, Node, Target, read_target
from gameday.write_truth import PER_SECOND, Write, bank_is_whole, check_set, dual_primaries, oldest_lost_s, stale_reads

ASK_WITHIN_S = 2.0
STALE_S = 5.0
"""Age from which a raw read counts as old where the scenario sets no limit."""
SETTLE_S = 20.0
"""Time the database has at the end to have one primary."""


class Truth:
    """All clients of one database."""

    def __init__(self, name: str, target: Target, scenario: Scenario, notebook: Notebook) -> None:
        database = target.databases[name]
        self._name, self._database, self._scenario, self._notebook = name, database, scenario, notebook
        self._stop = threading.Event()
        now = notebook.clock.now
        ways = {node.name: node.dsn for node in database.nodes}
        gateways = {f"gateway/{region}": dsn for region, dsn in database.gateway_dsn.items()}
        rates = {witness.via: witness.rate for witness in scenario.system.databases[name].witnesses}
        zones = {node.name: node.zone for node in database.nodes}
        self.writers = [
            Writer(via, dsn, now, self._stop, rates.get(zones.get(via, via), PER_SECOND))
            for via, dsn in {**ways, **gateways}.items()
        ]
        followed = next(iter(gateways), next(iter(ways)))
        self.readers = [
            Reader(one.name, one.dsn, followed, now, self._stop, _served(target, database, one)) for one in database.nodes
        ]
        self.bank = Bank(next(iter(gateways.values()), next(iter(ways.values()))), ways, self._stop)
        runs = [*(one.run for one in self.writers), *(one.run for one in self.readers), self.bank.run]
        self._threads = [threading.Thread(target=run, daemon=True) for run in runs]

    def begin(self) -> None:
        """Make the tables on the primary, then start everybody."""
        survivor = self._survivor()
        client = Client(survivor.dsn)
        for statement in SCHEMA:
            client.execute(statement)
        client.drop()
        for thread in self._threads:
            thread.start()

    def judge(self, folder: Path) -> None:
        """Stop, read what is there, write the findings down."""
        self._stop.set()
        for thread in self._threads:
            thread.join(8.0)
        writes = [write for writer in self.writers for write in list(writer.writes)]
        _keep(folder / f"writes-{self._name}.csv", writes)
        subject = f"database/{self._name}"
        try:
            final = self._final()
        except GamedayError as error:
            self._notebook.say("note", subject, {"text": f"the writes could not be counted: {error}"})
            return
        result, nodes = check_set(writes, final), [node.name for node in self._database.nodes]
        duals = dual_primaries(writes, nodes)
        data: dict[str, object] = {
            "database": self._name,
            "attempted": result.attempted,
            "acknowledged": result.acknowledged,
            "lost": len(result.lost),
            "indeterminate": result.indeterminate,
            "conflicting": sum(dual.conflicting for dual in duals),
            "unreconciled": len(result.lost),
            "surviving": result.surviving,
        }
        limit_s = self._scenario.system.databases[self._name].staleness_limit
        if limit_s is not None and all(reader.served is not None for reader in self.readers):
            data["stale_reads"] = sum(self._stale(reader, reader.given, limit_s) for reader in self.readers)
        age_s = oldest_lost_s(result.lost)
        if age_s is not None:
            data["oldest_lost_s"] = age_s
        self._notebook.say("writes.summary", subject, data)
        for dual in duals:
            words = f"{dual.old} and {dual.new} both acknowledged writes from {dual.start:.1f} s to {dual.end:.1f} s"
            self._notebook.say("note", subject, {"text": f"{words}; {dual.conflicting} of them conflict"}, at=dual.start)
        self._say_checks(subject, result.recovered, result.unexpected)

    def _say_checks(self, subject: str, recovered: int, unexpected: tuple[str, ...]) -> None:
        """What has no key of its own in the summary."""
        whole = bank_is_whole((total for _, total in self.bank.totals), ACCOUNTS * MONEY)
        looks = len(self.bank.totals)
        texts = [f"bank: {looks} looks at the accounts, the total was {'always' if whole else 'NOT always'} the same"]
        texts.append(f"indeterminate writes that were there in the end: {recovered}")
        if unexpected:
            texts.append(f"{len(unexpected)} writes were there that had certainly failed, e.g. {unexpected[0]}")
        limit_s = self._scenario.system.databases[self._name].staleness_limit or STALE_S
        for reader in self.readers:
            stale = self._stale(reader, reader.reads, limit_s)
            texts.append(f"{stale} of {len(reader.reads)} raw reads of {reader.node} as a replica were older than {limit_s:g} s")
        for text in texts:
            self._notebook.say("note", subject, {"text": text})

    def _stale(self, reader: Reader, reads: Sequence[tuple[float, int]], limit_s: float) -> int:
        followed = next(writer for writer in self.writers if writer.via == reader.via)
        acknowledged = [(w.ended, int(w.id.rpartition("/")[2])) for w in followed.writes if w.outcome == "ok"]
        return stale_reads(reads, acknowledged, limit_s)

    def _final(self) -> list[str]:
        """Ids on the survivor."""
        client = Client(self._survivor().dsn)
        rows = client.execute("select id from gameday_writes").fetchall()
        client.drop()
        return [str(row[0]) for row in rows]

    def _survivor(self) -> Node:
        """The primary; of two, the one on the newest timeline. GamedayError when there is none in time."""
        ends = time.monotonic() + SETTLE_S
        while True:
            states = [(state_of(node), node) for node in self._database.nodes]
            found = [(state.timeline or 0, node) for state, node in states if state.role == "primary"]
            if found:
                return max(found, key=lambda pair: pair[0])[1]
            if time.monotonic() > ends:
                raise GamedayError("no node takes writes")
            time.sleep(0.5)


def _served(target: Target, database: Database, node: Node) -> Callable[[], bool] | None:
    """Asks an instance in the node's region whether it answers from the region's copy; None where the target does not say how."""
    ways = database.copy_reads
    if ways is None or ways.service not in target.services:
        return None
    urls = [one.url for one in target.services[ways.service].instances if one.region == node.region]
    if not urls:
        return None

    def ask() -> bool:
        try:
            answer = call("GET", urls[0] + ways.path, timeout_s=ASK_WITHIN_S)
        except CallError:
            return False  # it failed explicitly
        return isinstance(answer, dict) and answer.get(ways.field) == ways.copy_word

    return ask


def _keep(path: Path, writes: list[Write]) -> None:
    lines = ["id,via,outcome,began,ended"]
    lines += [f"{w.id},{w.via},{w.outcome},{w.began:.4f},{w.ended:.4f}" for w in sorted(writes, key=lambda w: w.began)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(folder: Path, scenario_file: str, target_file: str) -> None:
    """Write until standard input ends."""
    scenario, target = read_played(scenario_file), read_target(target_file)
    notebook = Notebook(folder, "truth", RunClock.read(folder / CLOCK_FILE))
    known = {name: database for name, database in target.databases.items() if name in scenario.system.databases}
    truths = [Truth(name, target, scenario, notebook) for name in known]
    for truth in truths:
        truth.begin()
    sys.stdin.read()
    for truth in truths:
        truth.judge(folder)
    notebook.close()
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])

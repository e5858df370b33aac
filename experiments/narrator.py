"""Tells a live day while it goes on: one line for what matters, as the processes write it down."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

LOOK_EVERY_S: Final = 0.5
TOLD: Final = {
    "run.started": "the day begins",
    "run.ended": "the day is over",
    "run.aborted": "stopped: {reason}",
    "fault.injected": "{fault} {selector}: in place",
    "fault.proven": "{fault} {selector}: proven, {probe}",
    "fault.healed": "{fault} {selector}: healed by {by}",
    "fault.failed": "{fault} {selector}: failed, {why}",
    "impact.started": "{flow}: users are hurt ({good_ratio:.0%} good)",
    "impact.ended": "{flow}: users are served well again",
    "alert.firing": "alert {rule} fires on {subject}",
    "alert.resolved": "alert {rule} is over on {subject}",
    "page.sent": "{person} is paged about {subject}",
    "page.acknowledged": "{person} takes {page}",
    "failover.promoted": "{failover}: {to} is primary, was {from}",
    "database.role": "{subject}: {node} is {role}",
    "message.published": "{author} to {audience}: {text}",
    "degradation.started": "{feature}: switched off by the {by}",
    "degradation.ended": "{feature}: switched on by the {by}",
    "dns.changed": "{record} points to {to}",
    "writes.summary": "{database}: {acknowledged} writes acknowledged, {lost} lost, {indeterminate} indeterminate",
    "note": "{text}",
}


class Narrator:
    """Reads the records of a folder as they grow, and tells."""

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        self._folder = folder
        self._tell = tell
        self._offsets: dict[Path, int] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="narrator")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Tell the rest and stop."""
        self._ended.set()
        self._thread.join(5.0)
        self._look()

    def _run(self) -> None:
        while not self._ended.wait(LOOK_EVERY_S):
            self._look()

    def _look(self) -> None:
        events: list[dict[str, Any]] = []
        for name in ("controller", "observer", "truth"):
            path = self._folder / f"{name}.jsonl"
            if not path.exists():
                continue
            with path.open("rb") as file:
                file.seek(self._offsets.get(path, 0))
                content = file.read()
            whole = content.rfind(b"\n") + 1
            self._offsets[path] = self._offsets.get(path, 0) + whole
            events += [json.loads(line) for line in content[:whole].splitlines() if b'"kind"' in line]
        for event in sorted(events, key=lambda each: float(each["t"])):
            if event["kind"] in TOLD:
                words = TOLD[event["kind"]].format_map({**event["data"], "subject": event["subject"]})
                minutes, seconds = divmod(max(0.0, float(event["t"])), 60.0)
                self._tell(f"{int(minutes):02d}:{seconds:04.1f}  {words}")

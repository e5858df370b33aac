"""The guardian: `python -m experiments.safety.guardian PLAN`. It heals when the controller dies, hangs, or the safety lever is engaged.

The rule that surprises: it is told nothing when something goes wrong; it notices. The controller writes a beat every half second and `k`
when it ends well; standard input that ends without `k`, or silence, means that nobody else will heal.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
from pathlib import Path
from typing import Final

from experiments.healing import Healer
from experiments.safety.lever import Lever

BEAT: Final = b"h"
WELL: Final = b"k"
READY: Final = b"r"
BEAT_EVERY_S: Final = 0.5
SILENT_S: Final = 20.0
"""Time without a beat after which the controller counts as hung: longer than any single call to a target may take."""
LEVER_PATIENCE_S: Final = 2.0
"""Time the controller has to act on the lever before the guardian does."""
TRY_AGAIN_S: Final = 1.0
TRIES: Final = 60


def watch(healer: Healer, lever: Lever) -> str | None:
    """Wait; the reason to heal, or None when the controller ended well."""
    last_beat = time.monotonic()
    engaged_at: float | None = None
    while True:
        ready, _, _ = select.select([0], [], [], 0.25)
        if ready:
            said = os.read(0, 64)
            if WELL in said:
                return None
            if not said:
                return "the controller is gone"
            last_beat = time.monotonic()
        if time.monotonic() - last_beat > SILENT_S:
            return "the controller is silent"
        if lever.engaged() is None:
            engaged_at = None
        else:
            engaged_at = engaged_at or time.monotonic()
            if time.monotonic() - engaged_at > LEVER_PATIENCE_S and healer.open():
                return "the safety lever is engaged, and the controller has not healed"


def main(plan_file: Path) -> int:
    """Watch, heal if nobody else will, and leave a note; 0 when nothing is left in place."""
    healer, lever = Healer(plan_file), Lever.of_user()
    os.write(1, READY)
    why = watch(healer, lever)
    if why is None:
        return 0
    for _ in range(TRIES):
        healed, failures = healer.heal()
        _note(plan_file.parent, why, [f"{each.fault} {each.pinned}" for each in healed], failures)
        if not failures:
            return 0
        time.sleep(TRY_AGAIN_S)
    return 1


def _note(folder: Path, why: str, healed: list[str], failures: list[str]) -> None:
    record = {"at": time.time(), "why": why, "healed": healed, "failures": failures}
    with (folder / "guardian.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

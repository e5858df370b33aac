"""What a live day changes on its target beside faults, and how it was before: names that were moved, features that were switched off.

The rule that surprises: the call that puts it back is on disk before the call that changes it, so that the guardian and `gameday heal`
can make it; after that the file is gone. Putting back twice is harmless.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

from experiments.calls import CallError, call

FILE: Final = "put-back.jsonl"


def keep(live: Path, what: str, method: str, url: str, body: object) -> None:
    """Write down the call that puts something back."""
    line = json.dumps({"what": what, "method": method, "url": url, "body": body}) + "\n"
    with (live / FILE).open("a", encoding="utf-8") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def put_back(live: Path) -> list[str]:
    """Make every call that was kept, the last one first; what failed. A last line that was cut off was followed by no change."""
    file = live / FILE
    if not file.exists():
        return []
    text = file.read_text(encoding="utf-8")
    failures = []
    for line in reversed(text[: text.rfind("\n") + 1].splitlines()):
        kept: dict[str, Any] = json.loads(line)
        try:
            call(str(kept["method"]), str(kept["url"]), kept["body"])
        except CallError as error:
            failures.append(f"{kept['what']}: {error}")
    if not failures:
        file.unlink(missing_ok=True)
    return failures

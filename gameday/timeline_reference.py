"""The reference page of the timeline, written from the table that the checks use, so that the two cannot differ."""

from __future__ import annotations

from itertools import groupby

from gameday.timeline import FORMAT_VERSION, JSON, Timeline
from gameday.timeline_kinds import KINDS, Key, Kind

_INTRODUCTION = """\
# Timeline

A timeline is a text file in UTF-8, one JSON object a line. The first line is a header: `timeline` is the version of the
format ({version}), the other keys say which run it is. Every further line is an event:

| field | type | meaning |
|---|---|---|
| `t` | number | seconds from the start of the run, to the microsecond |
| `kind` | text | what happened; one of the kinds below |
| `subject` | text | what it happened to, as a scenario selects it |
| `source` | `sim`, `live` or `human` | whether a simulation, a real system or a person caused it |
| `data` | map | what the kind requires and allows |
| `wall` | number | seconds since 1970 in UTC; only where a clock on the wall was running |

Events are in order of `t`; events with the same `t` are in the order in which they were written. Keys are sorted, numbers
are finite and in their shortest exact form, so the same run gives the same bytes. A reader reports a last line that was cut
off and keeps kinds and keys it does not know.

```json
{example}```
"""


def kinds_reference() -> str:
    """The whole page, in Markdown."""
    parts = [_INTRODUCTION.format(version=FORMAT_VERSION, example=_example())]
    for family, names in groupby(KINDS, key=lambda name: name.partition(".")[0]):
        parts.append(f"## {family}\n")
        parts += (_section(name, KINDS[name]) for name in names)
    return "\n".join(parts)


def _section(name: str, kind: Kind) -> str:
    lines = [f"### `{name}`", "", f"{kind.description} Subject: {kind.subject}.", ""]
    if kind.keys:
        lines += ["| key | type | required | meaning |", "|---|---|---|---|"]
        lines += (_row(key_name, key) for key_name, key in kind.keys.items())
    else:
        lines.append("No data.")
    return "\n".join([*lines, ""])


def _row(name: str, key: Key) -> str:
    choices = f": {', '.join(f'`{choice}`' for choice in key.choices)}" if key.choices else ""
    return f"| `{name}` | {key.type} | {'no' if key.optional else 'yes'} | {key.description}{choices} |"


def _example() -> str:
    """A header and one event, through the same checks and writer as any run."""
    timeline = Timeline({"scenario": "zone-loss", "seed": 7})
    page: dict[str, JSON] = {"page": 1, "person": "first on call", "level": 1, "channel": "call", "urgency": "high"}
    timeline.add(312.5, "page.sent", "incident/1", "sim", page)
    return timeline.to_bytes().decode()

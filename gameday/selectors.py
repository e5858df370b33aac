"""Selectors: how a scenario names what a fault hits, from one instance to a region. `service/checkout@eu-1` is one.

The rule that surprises: `database/orders/primary` is whichever node is primary when it is asked, not the one the file names.
A selector knows nothing of any system; `gameday.topology` says what it means in one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, get_args

from gameday.errors import GamedayError, nearest, shown

Kind = Literal["service", "instance", "zone", "region", "database", "link", "provider", "queue", "group", "dns", "dependency"]
"""What a selector can name."""

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""All kinds, from small to large as people look for them."""

INTERNET: Final = "internet"
"""The end of a link where the clients are."""

ELSEWHERE: Final = "elsewhere"
"""The end of a link that means everything but the other end: all other zones, the internet, and the providers."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")
_INDEX = re.compile(r"0|[1-9][0-9]{0,5}")
_FORMS: Final[dict[Kind, str]] = {
    "service": "service/<name>, service/<name>@<zone> or service/<name>@<region>",
    "instance": "instance/<service>@<zone>/<number>",
    "zone": "zone/<name>",
    "region": "region/<name>",
    "database": "database/<name>, database/<name>/primary, database/<name>/replica, database/<name>@<zone> or database/<name>@<region>",
    "link": "link/<from>-><to> (one way) or link/<one><-><other> (both ways); ends are regions, zones, provider/<name>, internet "
    "or elsewhere",
    "provider": "provider/<name>",
    "queue": "queue/<name> or queue/<name>@<region>",
    "group": "group/<name>",
    "dns": "dns",
    "dependency": "dependency/<service>-><target>; the target is a service, database/<name>, provider/<name> or queue/<name>",
}
_TARGET_KINDS: Final = ("service", "database", "provider", "queue")


class SelectorError(GamedayError):
    """A selector that cannot be read or that names nothing; `suggestion` is how it was probably meant, or None."""

    def __init__(self, message: str, suggestion: str | None = None, wrong: str | None = None) -> None:
        """The message in plain words, without the suggestion, which replaces `wrong` (the whole selector when that is None)."""
        super().__init__(message + (f"; did you mean '{suggestion}'?" if suggestion else ""))
        self.message = message
        self.suggestion = suggestion
        self.wrong = wrong


@dataclass(frozen=True, slots=True)
class Selector:
    """What to hit. Made by `Selector.parse`, printed by `str()`; the two are inverse.

    `name` is the service, zone, region, database, provider, queue, group, or the near end of a link or dependency ("" for
    dns); `to` is the far end, for dependencies in full (`service/catalog`).
    """

    kind: Kind
    name: str = ""
    at: str | None = None
    """Zone or region that narrows it."""
    index: int | None = None
    """Number of the instance, from 0."""
    role: Literal["primary", "replica"] | None = None
    """Database nodes in this role at the time of asking."""
    to: str | None = None
    both_ways: bool = False

    @classmethod
    def parse(cls, text: str) -> Selector:
        """The selector that `text` writes. Raises SelectorError."""
        if not isinstance(text, str) or not text.strip():
            raise SelectorError(f"is not a selector; selectors begin with {', '.join(KINDS)}")
        text = text.strip()
        kind, slash, rest = text.partition("/")
        if kind == "dns" and not slash:
            return cls("dns")
        if kind not in KINDS:
            raise _unknown_kind(kind, rest, slash)
        made = _READERS[kind](rest)
        if made is None:
            raise SelectorError(f"is not a selector of kind {kind}: write {_FORMS[kind]}", _meant(kind, rest))
        return made

    def __str__(self) -> str:
        """The selector as a scenario writes it."""
        if self.kind == "dns":
            return "dns"
        if self.kind == "link":
            return f"link/{self.name}{'<->' if self.both_ways else '->'}{self.to}"
        if self.kind == "dependency":
            return f"dependency/{self.name}->{(self.to or '').removeprefix('service/')}"
        text = f"{self.kind}/{self.name}"
        text += f"@{self.at}" if self.at is not None else ""
        text += f"/{self.index}" if self.index is not None else ""
        return text + (f"/{self.role}" if self.role is not None else "")


def target_of(text: str) -> str:
    """What a dependency calls, in full: `catalog` is short for `service/catalog`, everything else stays as it is."""
    return text if "/" in text else f"service/{text}"


def _is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None


def _is_end(text: str) -> bool:
    return _is_name(text.removeprefix("provider/"))


def _plain(kind: Kind, rest: str) -> Selector | None:
    return Selector(kind, rest) if _is_name(rest) else None


def _placed(kind: Kind, rest: str) -> Selector | None:
    name, sign, at = rest.partition("@")
    if not sign:
        return _plain(kind, rest)
    return Selector(kind, name, at=at) if _is_name(name) and _is_name(at) else None


def _instance(rest: str) -> Selector | None:
    place, _, number = rest.rpartition("/")
    placed = _placed("instance", place)
    if placed is None or placed.at is None or not _INDEX.fullmatch(number):
        return None
    return Selector("instance", placed.name, at=placed.at, index=int(number))


def _database(rest: str) -> Selector | None:
    name, slash, role = rest.partition("/")
    if not slash:
        return _placed("database", rest)
    if role not in ("primary", "replica") or not _is_name(name):
        return None
    return Selector("database", name, role="primary" if role == "primary" else "replica")


def _link(rest: str) -> Selector | None:
    both_ways = "<->" in rest
    near, _, far = rest.partition("<->" if both_ways else "->")
    near, far = near.strip(), far.strip()
    return Selector("link", near, to=far, both_ways=both_ways) if _is_end(near) and _is_end(far) else None


def _dependency(rest: str) -> Selector | None:
    caller, _, target = (part.strip() for part in rest.partition("->"))
    kind, slash, name = target_of(target).partition("/")
    if not (_is_name(caller) and slash and kind in _TARGET_KINDS and _is_name(name)):
        return None
    return Selector("dependency", caller, to=f"{kind}/{name}")


_READERS: Final = {
    "service": lambda rest: _placed("service", rest),
    "instance": _instance,
    "zone": lambda rest: _plain("zone", rest),
    "region": lambda rest: _plain("region", rest),
    "database": _database,
    "link": _link,
    "provider": lambda rest: _plain("provider", rest),
    "queue": lambda rest: _placed("queue", rest),
    "group": lambda rest: _plain("group", rest),
    "dns": lambda _rest: None,
    "dependency": _dependency,
}


def _unknown_kind(kind: str, rest: str, slash: str) -> SelectorError:
    """`checkout` and `servce/checkout` are what people write by mistake."""
    meant = nearest(kind, KINDS)
    if not slash:
        if meant == "dns":
            return SelectorError("is not a selector", "dns")
        why = f"is not a selector: it must say what kind of thing it names, e.g. service/{kind}" if _is_name(kind) else ""
        return SelectorError(why or f"is not a selector; selectors begin with {', '.join(KINDS)}")
    suggestion = f"{meant}/{rest}" if meant is not None and meant != "dns" else meant
    return SelectorError(f"has an unknown kind '{shown(kind)}'; kinds are {', '.join(KINDS)}", suggestion)


def _meant(kind: str, rest: str) -> str | None:
    """A near miss that can be repaired: another letter case, a role misspelt, a database node written like an instance."""
    if kind == "dns":
        return "dns"
    if rest != rest.lower() and _READERS[kind](rest.lower()) is not None:
        return f"{kind}/{rest.lower()}"
    name, slash, role = rest.partition("/")
    if kind == "database" and slash and _is_name(name):
        known = nearest(role, ("primary", "replica"))
        return f"database/{name}/{known}" if known else None
    return None

"""Links between zones, one per direction, and paths: the pair of links a request and its answer travel.

The rule that surprises: a request arrives at once and the whole round trip, with the extra delay of both directions, is
charged to the answer. Loss and cuts are decided when a message leaves, so what is already under way still arrives.
"""

from __future__ import annotations

from sim.traffic.changes import SetLink


class Path:
    """From one caller zone to one callee zone and back, as the hot path reads it."""

    __slots__ = (
        "back_cut",
        "back_extra_s",
        "back_loss",
        "clear_back",
        "clear_there",
        "delay_s",
        "rtt_s",
        "there_cut",
        "there_extra_s",
        "there_loss",
    )

    def __init__(self, rtt_s: float) -> None:
        self.rtt_s = rtt_s
        self.there_extra_s = self.back_extra_s = 0.0
        self.there_loss = self.back_loss = 0.0
        self.there_cut = self.back_cut = False
        self.delay_s = rtt_s
        self.clear_there = self.clear_back = True

    def refresh(self) -> None:
        """Recompute the sums and flags."""
        self.delay_s = self.rtt_s + self.there_extra_s + self.back_extra_s
        self.clear_there = not self.there_cut and self.there_loss <= 0.0
        self.clear_back = not self.back_cut and self.back_loss <= 0.0


def paths_between(rtt_s: tuple[tuple[float, ...], ...]) -> list[list[Path]]:
    """`paths[caller zone][callee zone]` for a table of round trips in seconds."""
    return [[Path(value) for value in row] for row in rtt_s]


def set_link(paths: list[list[Path]], change: SetLink) -> None:
    """Change the one-way link in both paths that use it: as the way there of one, as the way back of the other."""
    there, back = paths[change.source][change.target], paths[change.target][change.source]
    if change.extra_s is not None:
        there.there_extra_s = back.back_extra_s = change.extra_s
    if change.loss_ratio is not None:
        there.there_loss = back.back_loss = change.loss_ratio
    if change.cut is not None:
        there.there_cut = back.back_cut = change.cut
    there.refresh()
    back.refresh()

"""Why a second was played instead of being shown."""

from __future__ import annotations

from enum import StrEnum


class Why(StrEnum):
    """One for every whole second that is played."""

    GOES_ON = "something goes on"
    SETTLES = "settling: the memory of what went on"
    SAMPLED = "settings that are not known yet"
    COMPARED = "settings that are known: is it as calm as then?"
    RATIONED = "as much was shown as may be for what was played"
    WARMS_UP = "warm-up before something happens, or too little time for a jump"

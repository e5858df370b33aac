"""`gameday warmup`: compile the traffic engine once, so that the first run need not. For images and CI caches."""

from __future__ import annotations

import argparse
from importlib import import_module


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Takes none."""
    parser.epilog = (
        "The first place that can be written to is used: NUMBA_CACHE_DIR, the user's cache folder, the temporary folder."
    )


def run(_arguments: argparse.Namespace) -> int:
    """Compile or load the kernel; say where it is kept and how long it took. Exit code 2 if numba is missing."""
    from gameday.errors import GamedayError

    engines = import_module("sim.traffic.engines")
    try:
        warm = engines.warm_up()
    except engines.NoCompilerError as error:
        raise GamedayError(str(error)) from error
    did = "compiled" if warm.compiled else "already compiled, loaded"
    place = (
        f"kept in {warm.folder}"
        if warm.folder
        else "kept nowhere, because no cache folder can be written to: each process compiles anew"
    )
    print(f"traffic engine {did} in {warm.seconds:.1f} s, {place}")
    return 0

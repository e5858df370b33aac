"""A share of the processor, taken away by stopping and continuing: how much is left, and that nothing stays stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from days import wait_until

from experiments.throttle import StoppedTime, Throttle, stopped_ratio

BUSY = "while True: pass"


@pytest.fixture
def busy() -> Iterator[subprocess.Popen[bytes]]:
    """A process that would take a whole core, in a group of its own."""
    process = subprocess.Popen([sys.executable, "-c", BUSY], start_new_session=True)
    yield process
    process.kill()
    process.wait(10)


def used_ratio(process: subprocess.Popen[bytes]) -> float:
    """Processor time over time, for about two seconds."""
    watched, began = psutil.Process(process.pid), time.monotonic()
    before = sum(watched.cpu_times()[:2])
    stopped_ratio(process.pid, 400, 0.005)
    return float(sum(watched.cpu_times()[:2]) - before) / (time.monotonic() - began)


def test_a_process_that_wants_all_of_a_core_gets_its_share_and_no_more(busy: subprocess.Popen[bytes]) -> None:
    throttle = Throttle(busy.pid, 0.25)
    try:
        assert used_ratio(busy) <= 0.35
        assert stopped_ratio(busy.pid, 300, 0.0053) >= 0.5, "three quarters, and less where a busy machine wakes the helper late"
    finally:
        throttle.end()
    assert stopped_ratio(busy.pid, 50, 0.001) == 0.0


def test_the_time_it_was_stopped_is_written_down(busy: subprocess.Popen[bytes], tmp_path: Path) -> None:
    clock, began = StoppedTime(tmp_path / "stopped"), time.monotonic()
    throttle = Throttle(busy.pid, 0.2, tmp_path / "stopped")
    assert wait_until(lambda: clock.seconds() > 0.5)
    throttle.end()
    stopped_s, past_s = clock.seconds(), time.monotonic() - began
    assert stopped_s < past_s
    stopped_ratio(busy.pid, 20, 0.005)
    assert clock.seconds() == stopped_s, "nothing is added once it ended"


def test_a_helper_that_is_killed_leaves_nothing_stopped_once_it_is_ended(busy: subprocess.Popen[bytes]) -> None:
    throttle = Throttle(busy.pid, 0.001)
    assert wait_until(lambda: psutil.Process(busy.pid).status() == psutil.STATUS_STOPPED)
    os.kill(throttle._helper.pid, signal.SIGKILL)
    assert wait_until(lambda: not throttle.alive)
    throttle.end()
    assert stopped_ratio(busy.pid, 20, 0.005) == 0.0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_when_whoever_asked_for_it_dies_the_process_has_all_of_the_processor_again(
    busy: subprocess.Popen[bytes], number: signal.Signals
) -> None:
    code = f"import time; from experiments.throttle import Throttle; t = Throttle({busy.pid}, 0.01); print(1, flush=True); time.sleep(600)"
    root = Path(__file__).parents[2]
    asker = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=root)
    assert asker.stdout is not None
    assert asker.stdout.readline() == b"1\n"
    (helper,) = (one for one in psutil.process_iter() if is_helper_of(one, busy.pid))
    asker.send_signal(number)
    asker.wait(10)
    asker.stdout.close()
    assert wait_until(lambda: not helper.is_running() or helper.status() == psutil.STATUS_ZOMBIE)
    assert stopped_ratio(busy.pid, 20, 0.005) == 0.0


def is_helper_of(process: psutil.Process, group: int) -> bool:
    with suppress(psutil.Error):
        return process.cmdline()[2:4] == ["experiments.throttle", str(group)]
    return False

"""All benchmarks one after the other: `python -m benchmarks`, or `make bench`.

The rule that surprises: figures are comparable within one output only. Each is a ratio of two things measured in the same run.
"""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = {
    "engine_speed": "requests per second of the engine, against SimPy processes and C",
    "peers": "one queue in other simulators",
    "scaling": "cost of an attempt over the length of the day and the size of the system",
    "hand_over": "bringing the data plane up to date and reading it, against a bare timeout of SimPy",
    "startup": "start of the command line, against an interpreter that does nothing",
    "quiet_stretches": "scores and time with quiet stretches, against exact play",
    "replications": "a run on two processes, against one",
    "cluster": "a batch of days on two workers of a Dask cluster, against one",
    "check_power": "false alarms and power of gameday check, from where it was interrupted",
    "memory": "peak memory of many replications, against few",
    "alert_rules": "static thresholds and baselines on real metrics with labelled anomalies",
    "root_cause": "root-cause candidates against the injected truth, against two simple ways",
}


def main() -> int:
    """Run every benchmark in a process of its own; 1 when one fails."""
    failed = []
    for name, what in BENCHMARKS.items():
        print(f"\n{name}: {what}", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

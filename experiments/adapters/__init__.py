"""One file per kind of real system, each implementing those ports of `gameday.ports` that it can."""

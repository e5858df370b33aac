"""The control plane: SimPy processes that measure, decide and change the system. One idea, one file."""

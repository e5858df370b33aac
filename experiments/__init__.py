"""Hands on the real thing: what the faults of a scenario do to systems that run.

So far there is one adapter, for processes on this machine that it started itself (`experiments.adapters.processes`); it passes the
contract suite that the simulated system passes. Chaos Toolkit, the lab and the safety machinery come with `gameday live`.
"""

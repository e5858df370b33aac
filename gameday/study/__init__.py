"""Studies: which settings are worth their money, with intervals, on shared randomness."""

"""Data truth of a live day: what clients were told about their writes, against what the surviving database has."""

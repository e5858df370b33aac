"""Replicated databases: who may write, what was copied in time, and which acknowledged writes did not survive. One idea, one file."""

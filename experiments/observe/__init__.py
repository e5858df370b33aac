"""Observers of a live day: what users get, what alerts say, who is paged, who is primary. They run in a process of their own."""

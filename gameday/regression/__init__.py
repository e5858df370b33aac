"""Holds game days against reviewed baselines: `gameday check`.

landmarks   the first time of each kind of event in a timeline, small enough to keep
baseline    the reviewed file: values, hard failures and landmarks of the replications it was made from
gate        what got worse, pair by pair, with the number of comparisons held under control
checking    plays all game days of a folder on the seeds of their baselines
evidence    how old the newest live run of a game day is
output      the terminal, Markdown, JUnit and the annotations of a CI server
"""

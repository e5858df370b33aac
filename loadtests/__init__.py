"""Real load: the arrivals of a scenario's load profile as intended start times.

`loadtests.arrivals` is the open-loop schedule that the load generator of a live run follows; the Locust users that send the requests
come with `gameday live`. Profiles are those of `gameday.arrivals`, so the simulator and the load generator mean the same.
"""

"""The lab's own programs: the shop's services, the payment provider, the relay and the name server; each runs as `python -m`."""

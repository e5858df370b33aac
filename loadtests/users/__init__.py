"""Users: one file per way of asking. A driver is one Locust user that sends the arrivals of one class of requests."""

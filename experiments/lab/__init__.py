"""The lab: a shop in two regions out of real processes on this machine, to be broken by live game days.

`gameday lab up` starts it. Everything it needs comes from pip (extra `lab`); it binds to 127.0.0.0/8 only and needs no root.
"""

"""Safety of live days: what is checked before, what is watched during, what heals when everything else has failed."""

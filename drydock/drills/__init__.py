"""Drills: experiments on the running service. Steady state, action, recovery, verdict."""

"""Drills: experiments on a running service, with a steady state, an action, a recovery and a verdict."""

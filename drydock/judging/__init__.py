"""The judge from outside: how it is started, followed, stopped, and what it leaves."""

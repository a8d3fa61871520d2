"""This machine: processes, pid files, ports, locks, signals, waiting, and asking a URL."""

"""The vocabulary of requests: outcome, record, statistics, windows, comparison. Standard library only."""

"""The analysis of a run: pod terminations, losses with their causes, advice, audit and objectives."""

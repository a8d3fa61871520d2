"""What a run shows: pod terminations, losses and their causes, advice, the audit, objectives."""

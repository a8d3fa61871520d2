"""Where a drill runs: the service with its database, and what moves them about."""

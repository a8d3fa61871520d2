"""What a run of the scaling drill shows: its marks, the share of each pod, its verdict."""

"""The results of a run: its folder, configuration and verdict."""

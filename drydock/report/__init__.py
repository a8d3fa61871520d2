"""Reports: one self-contained page for each run, which a person can read in a minute."""

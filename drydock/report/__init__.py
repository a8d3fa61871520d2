"""Reports: one self-contained page for each run, which a person reads in a minute."""

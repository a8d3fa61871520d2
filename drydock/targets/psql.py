"""The arguments of psql: its output is values, and a failed statement is an error."""

OPTIONS = ("--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--field-separator= ", "--set=ON_ERROR_STOP=1")

"""`python -m drydock` is `drydock`."""

from drydock.cli import main

main()

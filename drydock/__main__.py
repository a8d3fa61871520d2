"""`python -m drydock` is `drydock`."""

from drydock.cli.main import main

main()

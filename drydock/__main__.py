"""Makes `python -m drydock` the same as `drydock`."""

from drydock.cli.main import main

main()

"""`python -m deadband`."""

from .cli import main

main()

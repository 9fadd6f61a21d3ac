"""``python -m azmdr`` is the command ``azmdr``."""

from azmdr.cli import main

main()

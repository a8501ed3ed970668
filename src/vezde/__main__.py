"""`python -m vezde` is the command `vezde`."""

from vezde.cli import main

main()

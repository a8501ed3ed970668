"""The command line: `vezde serve`, and what an operator does by hand.

A module bears the name of what its commands are about. Nothing heavy is imported before a command
needs it: help and `keys create` come at once. Results go to standard output, everything else
(progress, logs, errors) to standard error.
"""

import sys


def main() -> None:
    """Run the command that the arguments name, and exit: 0, 1 (refused, unreadable), 2 (usage)."""
    from vezde.cli.app import app
    from vezde.cli.screen import complain
    from vezde.kit.errors import DomainError

    try:
        app()
    except DomainError as error:
        complain(error)
        sys.exit(1)

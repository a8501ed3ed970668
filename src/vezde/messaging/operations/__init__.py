"""Verbs that write messages."""

from vezde.messaging.operations.installing import install_section
from vezde.messaging.operations.keeping import forget, merge, sweep, unmerge
from vezde.messaging.operations.reserving import UnknownText, reserve

__all__ = ["UnknownText", "forget", "install_section", "merge", "reserve", "sweep", "unmerge"]

"""Verbs that write: price facts, publish the programme; and check a document before that."""

from vezde.program.checking import Checked, ProgramInvalid, check
from vezde.program.operations.applying import Ground, apply, ground
from vezde.program.operations.publishing import (
    ValidFromPast,
    VersionScheduled,
    publish,
)
from vezde.program.sections import Section

__all__ = [
    "Checked",
    "Ground",
    "ProgramInvalid",
    "Section",
    "ValidFromPast",
    "VersionScheduled",
    "apply",
    "check",
    "ground",
    "publish",
]

"""Verbs on API keys and stored answers."""

from vezde.access.operations.answers import (
    claim_answer,
    forget_answers,
    store_answer,
    sweep_answers,
)
from vezde.access.operations.erasing import forget, merge
from vezde.access.operations.keys import create_key, revoke_key, touch_key

__all__ = [
    "claim_answer",
    "create_key",
    "forget",
    "forget_answers",
    "merge",
    "revoke_key",
    "store_answer",
    "sweep_answers",
    "touch_key",
]

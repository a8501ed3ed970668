"""Telegram: the Bot API over HTTPS (https://core.telegram.org/bots/api)."""

from vezde.messaging.transports.telegram.client import (
    TelegramFileMissing,
    TelegramFileTooBig,
    TelegramRefuses,
    TelegramUnreachable,
)
from vezde.messaging.transports.telegram.telegram import UPDATES, Telegram

__all__ = [
    "UPDATES",
    "Telegram",
    "TelegramFileMissing",
    "TelegramFileTooBig",
    "TelegramRefuses",
    "TelegramUnreachable",
]

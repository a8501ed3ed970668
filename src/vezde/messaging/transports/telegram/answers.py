"""What Telegram's answers mean for a send.

Descriptions are matched where the Bot API has no code of its own for what happened.
"""

import re

from vezde.messaging.model import Rendered
from vezde.messaging.transports.protocol import (
    Answer,
    Delivered,
    Later,
    Lost,
    Refused,
    Unreached,
)
from vezde.messaging.transports.telegram.client import Reply

RETRY_SECONDS = 3.0  # when Telegram does not say
MOST_SAID = 80

UNCHANGED = "message is not modified"
TAP_IS_OVER = ("query is too old", "query id is invalid", "query_id_invalid")
NO_CHAT = ("chat not found", "user not found", "peer_id_invalid", "can't initiate conversation")
NO_TEXT = "there is no text in the message to edit"
NO_MESSAGE = (
    "message to edit not found",
    "message can't be edited",
    "message_id_invalid",
    NO_TEXT,
    "there is no caption in the message to edit",
    "there is no media in the message to edit",
)
FILE_IS_GONE = (
    "wrong file identifier",
    "wrong remote file",
    "file_reference",
    "file is temporarily",
)
QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|«[^»]*»|[^A-Za-z_ ,.:-]+")


def meaning(item: Rendered, reply: Reply) -> Answer:
    """What became of the send that this is the answer to."""
    if reply.ok:
        return Delivered(_message_id(reply) or item.edits)
    said = reply.description.casefold()
    if reply.status == 429:
        return Later(reply.retry_after or RETRY_SECONDS)
    if reply.status >= 500:
        return Lost(f"http_{reply.status}")
    if reply.status in {401, 404}:  # the token is not known here: nothing was done, for nobody
        return Unreached(f"http_{reply.status}")
    if item.answers is not None and any(words in said for words in TAP_IS_OVER):
        return Delivered(None)
    if UNCHANGED in said:
        return Delivered(item.edits)
    if any(words in said for words in NO_CHAT):
        return Refused("chat_missing")
    if reply.status == 403:
        return Refused("deactivated" if "deactivated" in said else "blocked")
    if item.edits is not None and any(words in said for words in NO_MESSAGE):
        return Refused("message_gone")
    return Refused(_told(said) if reply.status == 400 else f"http_{reply.status}")


def is_a_picture(reply: Reply) -> bool:
    """Whether a message was not made into a text because it is a picture."""
    return reply.status == 400 and NO_TEXT in reply.description.casefold()


def is_file_gone(reply: Reply) -> bool:
    """Whether a picture that was uploaded before has to be uploaded again."""
    said = reply.description.casefold()
    return reply.status == 400 and any(words in said for words in FILE_IS_GONE)


def _message_id(reply: Reply) -> str | None:
    found = reply.result.get("message_id") if isinstance(reply.result, dict) else None
    return str(found) if isinstance(found, int) else None


def _told(said: str) -> str:
    """Telegram's words without what it quotes of the message."""
    words = QUOTED.sub("", said.removeprefix("bad request: "))
    return f"bad_request: {' '.join(words.split())[:MOST_SAID]}"

"""A call of one method: its parameters, whatever form they came in."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from vezde.testing.telegram.model import JSON, Chat, Message, bad_request, forbidden
from vezde.testing.telegram.world import Bot, World


@dataclass(frozen=True)
class Upload:
    """A file in a multipart request."""

    name: str
    content: bytes


@dataclass
class Request:
    """`params`: strings of a form or values of JSON; `uploads` by field name."""

    world: World
    bot: Bot
    method: str
    params: JSON
    uploads: dict[str, Upload] = field(default_factory=dict)

    def text(self, name: str, default: str = "") -> str:
        value = self.params.get(name)
        return default if value is None else str(value)

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise bad_request(f'parameter "{name}" is required')
        return value

    def integer(
        self, name: str, default: int = 0, *, least: int = -(2**62), most: int = 2**62
    ) -> int:
        """A number within bounds; what is no number is the default, as the server takes it."""
        try:
            value = int(self.text(name) or default)
        except ValueError:
            return default
        return min(max(value, least), most)

    def flag(self, name: str) -> bool:
        return self.text(name).lower() in {"true", "yes", "1"}

    def json(self, name: str) -> Any:
        """A value that a form carries as JSON text; None when absent. Raises `ApiError`."""
        value = self.params.get(name)
        if not isinstance(value, str) or value == "":
            return None if value == "" else value
        try:
            return json.loads(value)
        except ValueError as error:
            raise bad_request(f"can't parse {name} JSON object") from error

    def listed(self, name: str) -> list[Any]:
        value = self.json(name)
        if value is not None and not isinstance(value, list):
            raise bad_request(f"expected an Array of {name}")
        return value or []

    def chat(self) -> Chat:
        """The chat it is for. Raises `ApiError`: empty, unknown, blocked, deactivated."""
        said = self.text("chat_id")
        if not said:
            raise bad_request("chat_id is empty")
        try:
            chat = self.bot.chats.get(int(said))
        except ValueError as error:
            raise bad_request("chat not found") from error
        if chat is None or not chat.started:
            raise bad_request("chat not found")
        if chat.user is not None and chat.user.deactivated:
            raise forbidden("user is deactivated")
        if chat.blocked:
            raise forbidden(
                "bot was blocked by the user"
                if chat.user is not None
                else "bot was kicked from the supergroup chat"
            )
        return chat

    def message(self, kind: str, name: str = "message_id") -> Message:
        """The message it is about, "message to edit", "message to delete" … Raises `ApiError`."""
        chat = self.chat()
        if not self.text(name):
            raise bad_request("message identifier is not specified")
        found = chat.messages.get(self.integer(name))
        if found is None:
            raise bad_request(f"{kind} not found")
        return found


Method = Callable[[Request], Any]

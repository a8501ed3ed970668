"""A section of the document that another domain owns: its name, its shape, who takes it over."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pydantic import BaseModel

from vezde.kit.db import Db


class Install(Protocol):
    """Keeps a domain's own copy of its section; runs in the transaction that publishes."""

    async def __call__(
        self, db: Db, section: dict[str, Any], *, version: int, valid_from: datetime
    ) -> None: ...


@dataclass(frozen=True)
class Section:
    """`model` checks and describes the section; a section left out reads as `model()`.

    A model that cannot be made without data makes its section obligatory. Wiring lists them all.
    """

    name: str
    model: type[BaseModel]
    install: Install

"""A section of the document that another domain owns: its name, its shape, who takes it over."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, LiteralString, Protocol, TypeVar

from psycopg.types.json import Jsonb
from pydantic import BaseModel

from vezde.kit import db as kit_db
from vezde.kit.db import Db

Model = TypeVar("Model", bound=BaseModel)
MOST_PARSED = 32


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


class Kept(Generic[Model]):
    """A domain's own copy of its section, a row a version.

    `install` writes one (version, valid_from, section), `in_force` reads the text of the one in
    force `at` an instant. Each text is parsed once a process, whichever database it comes from.
    """

    def __init__(
        self, model: type[Model], *, install: LiteralString, in_force: LiteralString
    ) -> None:
        self._model, self._install, self._in_force = model, install, in_force
        self._parsed: dict[str, Model] = {}

    async def install(
        self, db: Db, section: dict[str, Any], *, version: int, valid_from: datetime
    ) -> None:
        """Keep the section of a version just published; raises pydantic's ValidationError."""
        checked = self._model.model_validate(section)
        await db.execute(
            self._install, [version, valid_from, Jsonb(checked.model_dump(mode="json"))]
        )

    async def in_force(self, db: Db, at: datetime) -> Model:
        """The section of the programme in force at that instant."""
        text = await kit_db.fetch_value(db, self._in_force, {"at": at}) or "{}"
        if text not in self._parsed:
            while len(self._parsed) >= MOST_PARSED:
                self._parsed.pop(next(iter(self._parsed)))
            self._parsed[text] = self._model.model_validate_json(text)
        return self._parsed[text]

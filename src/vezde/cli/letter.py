"""The weekly letter, to be looked at: sending it is not its affair."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from datetime import datetime

    from vezde.insights.letter import Week
    from vezde.kit.db import Db


class Language(StrEnum):
    """As `vezde.kit.i18n.Locale`, which would load too much for `--help`."""

    RU = "ru"
    EN = "en"


def letter(
    locale: Annotated[Language, typer.Option(help="In which language.")] = Language.RU,
    html: Annotated[bool, typer.Option(help="As HTML instead of text.")] = False,
) -> None:
    """Print the letter of the last whole week: what happened, what waits."""
    from vezde.api.console import today
    from vezde.cli import screen, session
    from vezde.insights import letter as letters
    from vezde.kit import troubles
    from vezde.kit.i18n import Locale
    from vezde.wiring import TROUBLES

    async def work(db: "Db", now: "datetime") -> "Week":
        wrong = sum((await troubles.counted(db, TROUBLES)).values())
        return await today.week(db, now=now, troubles=wrong)

    made = letters.letter(session.transact(work), locale=Locale(locale.value))
    screen.show(made.html if html else f"{made.subject}\n\n{made.text}")

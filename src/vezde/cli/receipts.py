"""Receipts, by hand."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Receipts, by hand.")
WAIT_SECONDS = 60.0


@app.command()
def submit(
    files: Annotated[
        list[Path],
        typer.Argument(
            exists=True,
            readable=True,
            help="JSON documents of any shape, .ndjson, .txt with a QR code's text a line, "
            "pictures, PDFs, letters (.eml), pages; folders are looked through.",
        ),
    ],
    phone: Annotated[str | None, typer.Option(help="Whose they are, like +79161234567.")] = None,
    member: Annotated[str | None, typer.Option(help="Whose they are: mem_…")] = None,
    enrol: Annotated[
        bool, typer.Option("--enrol", help="Make a member of who has this phone, if need be.")
    ] = False,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for receipts that have to be checked.")
    ] = WAIT_SECONDS,
    json: Annotated[bool, typer.Option("--json", help="A JSON object a line, no table.")] = False,
) -> None:
    """Register receipts for a member. Documents you hand in count as verified.

    QR codes are checked as if the member had shown them: their documents are asked for. Receipts
    that are refused are no error of this command; files that cannot be read are (exit code 1).
    """
    if (phone is None) == (member is None):
        raise typer.BadParameter("say whose receipts they are: --phone or --member, one of them")
    if enrol and phone is None:
        raise typer.BadParameter("--enrol needs --phone")
    from vezde.cli import session, submitting
    from vezde.cli.submitting import Owner

    owner = Owner(phone=phone, member=member, enrol=enrol)
    read = session.in_house(
        lambda house: submitting.submit(house, owner, files, wait_seconds=wait, as_json=json)
    )
    raise typer.Exit(0 if read else 1)


@app.command()
def samples(
    folder: Annotated[
        Path | None, typer.Argument(file_okay=False, help="Where to; default: in the data folder.")
    ] = None,
) -> None:
    """Write sample receipts, dated as if bought in the last days."""
    from datetime import datetime

    from vezde.cli import samples as copies
    from vezde.cli import screen, session
    from vezde.kit.db import Db
    from vezde.program import queries

    async def today(db: Db, now: datetime) -> datetime:
        versions = await queries.programmes(db)
        return now.astimezone(versions.at(now).zone) if versions.versions else now

    place = folder or session.begin().data_dir / "samples"
    for path in copies.write(place, today=session.transact(today).date(), again=True):
        screen.show(screen.near(path.absolute()))


@app.command()
def held(
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many.")] = 20,
) -> None:
    """List receipts that signals hold for a person, the longest first, with the reasons."""
    from datetime import datetime

    from vezde.api import names
    from vezde.cli import screen, session
    from vezde.kit.db import Db
    from vezde.receipts import quarantine
    from vezde.receipts.quarantine import Held
    from vezde.receipts.signals import words

    async def work(db: Db, _now: datetime) -> list[Held]:
        return await quarantine.page(db, after=None, limit=limit)

    locale = session.begin().locale
    for one in session.transact(work):
        due = one.promised_at.isoformat(timespec="minutes")
        screen.show(f"{names.receipt(one.member_id, one.receipt_id)}  {one.score}  due {due}")
        for finding in one.findings:
            screen.show(f"  +{finding.score} {words.text(finding, locale)}")


@app.command()
def release(
    receipt: Annotated[str, typer.Argument(help="rcp_…, as `held` lists it.")],
    note: Annotated[str, typer.Option(help="Why it is sound.")] = "",
) -> None:
    """Release a receipt that signals hold: it earns as of its purchase."""
    from datetime import datetime

    from vezde.api import names
    from vezde.cli import screen, session
    from vezde.kit.db import Db
    from vezde.receipts import queries
    from vezde.receipts.operations import quarantining

    async def work(db: Db, now: datetime) -> tuple[queries.Receipt, int]:
        member_id, receipt_id = names.receipt_ids(receipt)
        found = await quarantining.release(
            db, member_id, receipt_id, note=note, now=now, actor=session.OPERATOR
        )
        return found, sum(found.points(now)[:2])

    found, points = session.transact(work)
    reason = f" ({found.reason})" if found.reason else ""
    screen.show(f"{receipt}: {found.status}{reason}, {points} points")


@app.command()
def decline(
    receipt: Annotated[str, typer.Argument(help="rcp_…, as `held` lists it.")],
    note: Annotated[str, typer.Option(help="Why it brings nothing; the member is not told.")],
) -> None:
    """Decline a receipt that signals hold: it brings nothing."""
    from datetime import datetime

    from vezde.api import names
    from vezde.cli import screen, session
    from vezde.kit.db import Db
    from vezde.receipts.operations import quarantining

    async def work(db: Db, now: datetime) -> None:
        member_id, receipt_id = names.receipt_ids(receipt)
        await quarantining.decline(
            db, member_id, receipt_id, note=note, now=now, actor=session.OPERATOR
        )

    session.transact(work)
    screen.show(f"{receipt}: declined")

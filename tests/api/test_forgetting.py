"""Every column that can say something of a member is filled, the member is forgotten, and all that
the database holds is read: nothing of the person is in it, and everything still adds up."""

import base64
import zlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql

from vezde.access import operations as access
from vezde.access.operations import answers, signing_in
from vezde.access.operations.entering import Asked, Document
from vezde.access.operations.telling import Channels
from vezde.api import names
from vezde.kit import migrate, share
from vezde.kit.vault import Vault
from vezde.members import identities, sealing
from vezde.members import operations as members
from vezde.members.links.model import NewLink
from vezde.members.operations import journal
from vezde.purchases.marking import Pack
from vezde.receipts import queries
from vezde.receipts.mailing import operations as mailing
from vezde.receipts.model import Note, Reason, Status
from vezde.receipts.operations import moderating, registering
from vezde.receipts.operations.registering import Submission
from vezde.receipts.photos import operations as photos
from vezde.receipts.reading.slips import Slip, SlipLine
from vezde.receipts.signals import devices
from vezde.testing.receipts import (
    CORNER_SHOP,
    OZON,
    advance_and_settlement,
    line,
    picture,
    receipt,
    render,
)
from vezde.wiring import STEPS

from .conftest import PROGRAM

NAME, MIDDLE = "Анастасия Преображенская", "Настя из мессенджера"
PHONE, OTHER_PHONE, EMAIL = "+79000004711", "+79000004712", "Nastya.Preo@example.com"
TELEGRAM, CARD, DEVICE = "7788990011", "CARD-55667788", "a-phone-of-hers"
PERSON = {
    "phone": PHONE,
    "email": EMAIL,
    "name": NAME,
    "birthday": "1987-03-21",
    "locale": "ru",
    "timezone": "Asia/Yekaterinburg",
    "source": f"привела {NAME}",
    "identities": [{"kind": "telegram", "value": TELEGRAM}, {"kind": "card", "value": CARD}],
    "consents": [
        {
            "purpose": "promo",
            "channel": "email",
            "document_version": "2026-01",
            "text_sha256": "ab" * 32,
            "given_at": "2026-11-01T10:00:00+03:00",
            "how": f"устно, {NAME}, {PHONE}",
        }
    ],
}
SECRETS = (
    *(NAME, "Преображенская", MIDDLE, "1987-03-21", "Asia/Yekaterinburg"),
    *(PHONE[1:], PHONE[2:], OTHER_PHONE[1:], EMAIL, "Nastya.Preo"),
    *(TELEGRAM, CARD),
)

CREAM = line("Крем для лица LUNARIA 50мл", 83_000, provider_inn="7801234564")
MARK = "ea9.00112233445566778899aabbccddeeff.0.0"
DOUBT = line("Помада LUNARIA", 50_000)

DOMAINS = ("access", "checkout", "ledger", "members", "outbox", "program", "purchases", "receipts")
# Column of a table with member_id -> why nothing fills it here.
EMPTY: Mapping[str, str] = {
    "ledger.account.inactive_at": "the programme ends nothing by inactivity",
    "ledger.seal": "the audit has not come by yet",
    "ledger.violation": "nothing is wrong",
    "ledger.adjustment": "no operator has given or taken points",
    "ledger.account.closed_at": "the account is open until she goes",
    "members.arrival.campaign": "her source was named by another program, not by a link",
    "members.arrival.code": "her source was named by another program, not by a link",
    "members.merged": "a row of whoever is gone",
    "members.merge": "a row of whoever is gone; what it keeps is read by `_unsealed`",
    "receipts.turn": "she leaves it when the one before her is confirmed",
    "receipts.verification.lease": "nobody is asking at this moment",
    "receipts.verification.leased_until": "nobody is asking at this moment",
    "receipts.verification.parked_because": "nothing is stuck",
    "receipts.photo.source": "nobody has to look at a receipt that she showed in a chat",
    "receipts.photo.try_wall": "nothing is being fetched",
    "receipts.photo.lease": "nothing is being fetched",
    "outbox.fact.subject": "of facts without a member",
    "receipts.letter.lease": "nobody reads letters at this moment",
    "receipts.letter.error": "nothing is wrong with the letter",
    "receipts.letter.excerpt": "it confirms no address",
    "purchases.pack.bonus_fact": "the programme gives nothing for a scan",
    "purchases.pack.released_at": "her jar is not back in circulation",
    "purchases.pack_dispute.receipt_id": "she scanned a neighbour's jar and has no receipt of it",
    "purchases.pack_dispute.outcome": "nobody has decided yet whose his jar is",
    "purchases.pack_dispute.decided_at": "nobody has decided yet whose his jar is",
    "purchases.pack_dispute.decided_by": "nobody has decided yet whose his jar is",
    "purchases.document.withdrawn": "no receipt of hers moved away or is held back",
    "receipts.dispute.outcome": "nobody has decided yet whose his receipt is",
    "receipts.dispute.decided_at": "nobody has decided yet whose his receipt is",
    "receipts.dispute.decided_by": "nobody has decided yet whose his receipt is",
    "receipts.dispute.from_member": "his receipt has not moved",
    "receipts.dispute.from_receipt": "his receipt has not moved",
    "receipts.recheck": "the programme asks for no receipt again",
    "receipts.promise.ended_at": "what was promised is being checked still",
}
OF_MEMBERS = """
SELECT n.nspname, c.relname, array_agg(a.attname::text ORDER BY a.attnum)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = ANY(%s)
GROUP BY 1, 2 HAVING 'member_id' = ANY(array_agg(a.attname::text))
ORDER BY 1, 2
"""
TABLES = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname = ANY(%s) ORDER BY 1, 2
"""
SUMS = """
SELECT
    (SELECT sum(points) FROM ledger.entry WHERE kind <> 'close'),
    (SELECT md5(string_agg(e::text, '|' ORDER BY member_id, seq)) FROM ledger.entry e
        WHERE kind <> 'close'),
    (SELECT md5(string_agg(d::text, '|' ORDER BY fact_id)) FROM program.decision d),
    (SELECT md5(string_agg(p::text, '|' ORDER BY receipt_id, line)) FROM purchases.line p),
    (SELECT sum(total_kopecks) FROM purchases.document),
    (SELECT count(*) FROM receipts.claim WHERE state = 'confirmed')
"""
NOTHING_LEFT = """
SELECT (SELECT sum(points) FROM ledger.entry e WHERE e.kind NOT IN ('activate', 'hold', 'release')
            AND e.member_id = a.member_id),
    a.active + a.pending + a.held + a.debt,
    (SELECT sum(remaining) FROM ledger.lot l WHERE l.member_id = a.member_id),
    (SELECT sum(points) FROM ledger.lot l WHERE l.member_id = a.member_id)
        - (SELECT sum(points) FROM ledger.alloc l WHERE l.member_id = a.member_id)
FROM ledger.account a WHERE a.member_id = %s
"""


class TestForgetting:
    async def test_leaves_nothing_of_the_person_and_every_sum(self, api, fresh):
        nastya, papers = await _life(api)
        with psycopg.connect(fresh.owner, autocommit=True) as db:
            _ensure_filled(db, names.member_id(nastya))
            before = db.execute(SUMS).fetchone()
            blinds = _blinds(api.house.vault)
            full = _dump(db, api.house.vault)
            missing = [secret for secret in SECRETS if not _found(full, secret)]
            assert not missing, f"the test puts these nowhere: {missing}"
            assert all(blind in full for blind in blinds)

            assert (await api.call("DELETE", f"/v1/members/{nastya}")).status_code == 204

            left = _dump(db, api.house.vault)
            assert [secret for secret in SECRETS if _found(left, secret)] == []
            assert not [blind for blind in blinds if blind in left]
            assert str(names.member_id(nastya)) in left
            assert "+79000000002" in left, "Boris is still here"
            assert db.execute(SUMS).fetchone() == before
            assert db.execute(NOTHING_LEFT, [names.member_id(nastya)]).fetchone() == (0, 0, 0, 0)
        newcomer = await api.ok("POST", "/v1/members", PERSON)
        for paper in papers:
            (again,) = await api.batch({"member_id": newcomer["id"], "document": render(paper)})
            assert again["reason"]["code"] == "taken"
        points = await api.ok("GET", f"/v1/members/{newcomer['id']}/points")
        assert (points["active"], points["pending"]) == (0, 0)

    def test_is_a_step_of_every_domain_with_rows_of_members(self, fresh):
        with psycopg.connect(fresh.owner, autocommit=True) as db:
            domains = {row[0] for row in db.execute(OF_MEMBERS, [_schemas()])}
        steps = {one.domain for one in STEPS}
        # members runs the steps; facts are append-only, of ids and numbers.
        assert domains - {"members", "outbox"} <= steps


async def _life(api: Any) -> tuple[str, list[Any]]:
    """A member with something in every place, and the papers she was paid for."""
    earning = PROGRAM["earning"] | {"points_per_day": None}
    sellers = {"own_inns": [CORNER_SHOP.inn]}
    trust = {"up_to_kopecks": 100_000, "points": 3, "per_day": 2}
    receipts = {"window_days": None, "per_day": 5, "trust": trust}
    document = PROGRAM | {"earning": earning, "receipts": receipts, "sellers": sellers}
    document |= {"expiry": {"months": 12}, "signals": SIGNALS}
    await api.ok("PUT", "/v1/program", {"document": document})
    boris = await api.ok("POST", "/v1/members", {"phone": "+79000000002"})
    nastya = (await api.ok("POST", "/v1/members", PERSON, key=f"enrol {PHONE}"))["id"]
    other = await api.ok(
        "POST", "/v1/members", {"phone": OTHER_PHONE, "name": MIDDLE, "source": NAME}, key="other"
    )
    async with api.house.database.transaction() as db:
        now = await api.house.clock.programme(db)
        link = await members.create_link(
            db, NewLink("blogger-17", "spring"), now=now, actor="operator:cli"
        )
        await members.came_by(db, names.member_id(nastya), link.code, now=now)
        await members.mark_unreachable(db, names.member_id(nastya), "telegram", "blocked", now)
    at = datetime.now(ZoneInfo("Europe/Moscow")).replace(tzinfo=None, microsecond=0)
    papers = [
        receipt(1, lines=[CREAM], at=at),
        receipt(2, lines=[CREAM], at=at, seller=OZON),
    ]
    for paper, whose in zip(papers, (nastya, other["id"]), strict=True):
        await api.batch({"member_id": whose, "document": render(paper)}, key=f"paper {paper.key}")
    merged = f"/v1/members/{nastya}/merge"
    await api.ok("POST", merged, {"gone": other["id"]}, key="merge")
    await api.ok("POST", "/v1/sandbox/clock", {"advance": "P15D"})
    advance, _ = advance_and_settlement(11, lines=[CREAM], paid_at=at, handed_over_at=at)
    lines = [
        {"phone": PHONE, "document": render(advance)},
        {"phone": PHONE, "document": render(receipt(21, lines=[DOUBT], at=at))},
        {"phone": OTHER_PHONE, "document": render(papers[0])},
    ]
    await api.batch(*lines)
    late = receipt(51, lines=[CREAM], seller=OZON, at=at + timedelta(days=14))
    many = [receipt(60 + n, lines=[CREAM], at=at + timedelta(days=13, hours=n)) for n in range(5)]
    await api.batch(*({"member_id": nastya, "document": render(one)} for one in [late, *many]))
    papers.append(late)
    unpaid = receipt(31, lines=[CREAM], at=at + timedelta(days=14))
    body = {"member_id": nastya, "qr": unpaid.qr.text()}
    for key in ("qr", "again"):
        await api.ok("POST", "/v1/receipts", body, key=key)
    await _orders(api, nastya, at)
    await _sent(api, names.member_id(nastya), at)
    await _brought_back(api, nastya, boris["id"], at)
    (consent,) = (await api.ok("GET", f"/v1/members/{nastya}"))["consents"]
    path = f"/v1/members/{nastya}/consents/{consent['id']}/withdraw"
    await api.ok("POST", path, {"how": f"позвонила {NAME}"}, key="withdraw")
    await api.batch(
        {"member_id": boris["id"], "document": render(receipt(41, lines=[CREAM], at=at))}
    )
    await _at_the_door(api, names.member_id(nastya))
    return nastya, papers


async def _sent(api: Any, nastya: UUID, at: datetime) -> None:
    """A letter to her own address, a picture of something else, an e-receipt with its text."""
    vault, wall = api.house.vault, api.house.clock.wall()
    async with api.house.database.transaction() as db:
        now = await api.house.clock.programme(db)
        await mailing.mailbox(db, nastya, now=now)
        raw = f"To: {EMAIL}\r\n\r\n{NAME}, {PHONE}".encode()
        later = wall + timedelta(days=1)  # so that it is there still, unread
        await mailing.keep(db, [nastya], raw, message_id=f"<1@{EMAIL}>", vault=vault, wall=later)
        slip = Slip("ozon", 1, 83_000, lines=(SlipLine("Крем", 83_000),))
        shown = receipt(81, lines=[CREAM], seller=OZON, at=at + timedelta(days=14))
        other = receipt(82, lines=[CREAM], seller=OZON, at=at + timedelta(days=14))
        at_hand = photos.of_bytes(api.house.vault, (shown.key.fn, shown.key.fd), NAME.encode())
        key = other.key.fn, other.key.fd
        in_chat = photos.of_messenger(api.house.vault, key, bot="telegram:1", file_id=TELEGRAM)
        submissions = [
            Submission(nastya, unreadable=Reason.NOT_FISCAL_QR, note=Note.SBP),
            Submission(nastya, qr=shown.qr, slip=slip, photo=at_hand),
            Submission(nastya, qr=other.qr, photo=in_chat),
        ]
        actor = f"member:{nastya}"
        await registering.register(db, submissions, now=now, wall=wall, actor=actor)


async def _brought_back(api: Any, nastya: str, boris: str, at: datetime) -> None:
    """A jar with a code that she scans and one that is Boris's; a purchase returned; a doubt."""
    bought = at + timedelta(days=13, hours=12)
    mine, his = Pack("04605035006964", "5AbCdE"), Pack("04605035006964", "7XyZ12")
    jars = [
        replace(CREAM, name=f"{CREAM.name} {MARK}", gtin=one.gtin, serial=one.serial)
        for one in (mine, his)
    ]
    jars[0] = replace(jars[0], order_number="6175930728")
    for number, (who, jar) in enumerate(((nastya, jars[0]), (boris, jars[1]))):
        paper = receipt(91 + number, lines=[jar], at=bought)
        await api.batch({"member_id": who, "document": render(paper)})
    for code in (mine, his):
        scanned = {"member_id": nastya, "code": code.text}
        await api.ok("POST", "/v1/packs/scans", scanned, key=f"scan {code.serial}")
    his_paper = receipt(92, lines=[jars[1]], at=bought)
    form = {"data": {"member_id": nastya}, "files": {"file": ("photo.png", picture(his_paper))}}
    said = (await api.call("POST", "/v1/receipts", key="his", **form)).json()
    claim = f"/v1/receipts/{said['id']}/dispute"
    await api.ok("POST", claim, key="mine", **form)
    await api.ok("POST", claim, {"code": his.text}, key="mine, too")
    back = receipt(93, lines=[jars[0]], at=bought + timedelta(hours=2), operation=2)
    await api.batch({"member_id": nastya, "document": render(back)})
    async with api.house.database.transaction() as db:
        now = await api.house.clock.programme(db)
        shown = await queries.page(db, member_id=names.member_id(nastya), limit=100)
        (doubt,) = (one for one in shown if one.status is Status.IN_REVIEW)
        await moderating.decide_line(
            db, doubt.member_id, doubt.receipt_id, line=1, sku="LIP-02", now=now, actor="operator:x"
        )
    await _held(api, nastya, jars[1], bought)


async def _held(api: Any, nastya: str, jar: Any, at: datetime) -> None:
    """From her own telephone, a pack that is Boris's: an operator looks, and declines it."""
    paper = receipt(95, lines=[jar], at=at)
    line = {"member_id": nastya, "document": render(paper), "device": DEVICE}
    (held,) = await api.batch(line)
    assert held["reason"]["code"] == "quarantined"
    note = {"note": f"звонила {NAME}, {PHONE}"}
    await api.ok("POST", f"/v1/receipts/{held['id']}/decline", note)


async def _at_the_door(api: Any, nastya: UUID) -> None:
    """She signs in on the site by a code and by a link, shows her card and is asked at a till."""
    house, site = api.house, "https://shop.example"
    wall = house.clock.wall()
    both = {"vault": house.vault, "wall": wall}
    async with house.database.transaction() as db:
        now = await house.clock.programme(db)
        _, key = await access.create_publishable_key(
            db,
            name="site",
            origins=[site],
            sales_channel="own_site",
            enrols=False,
            now=now,
            actor="operator:cli",
        )
        asked = Asked(key, site, PHONE)
        begun = await access.ask_code(db, asked, channels=Channels((), 100), now=now, **both)
        page = {"key": key, "origin": site, **both}
        await access.try_code(db, begun.handle, begun.code, **page)
        found = await access.sign_in(db, begun.handle, **page)
        document = Document("1", None)
        await access.enter(db, found, None, key=key, document=document, now=now, **both)
        link = (await access.begin_by_link(db, key=key, origin=site, wall=wall)).link
        await access.decide_link(db, link, member_id=nastya, agrees=True, **both)
        await access.make_card(db, nastya, **both)
        olga = await access.take_on(
            db, name="Ольга", role="cashier", vault=house.vault, now=now, actor="operator:cli"
        )
        await access.note(db, olga, "member_found", now=now, member_id=nastya)
        _, approval = await access.ask(db, nastya, "payment", {}, actor=olga.actor, **both)
        await access.decide(db, approval, "declined", how="button", wall=wall)


# Only a pack that was seen before holds anything here; the others see and say nothing.
SIGNALS = {"quarantine_at": 1000, "pack_seen": {"score": 1000}}


async def _orders(api: Any, member_id: str, at: datetime) -> None:
    """An order that points paid in part and that came back in part, one that a receipt preceded."""
    goods = [{"sku": "CREAM-50", "quantity": 2, "price_kopecks": 83_000}]
    asked = {"member_id": member_id, "sales_channel": "own_site", "lines": goods}
    for path_of, order_id in enumerate(("А-1", None)):
        quote = await api.ok("POST", "/v1/checkout/quotes", asked)
        held = {"quote_id": quote["quote_id"], "lines": goods, "points": 40, "ttl_seconds": 600}
        hold = await api.ok("POST", "/v1/checkout/holds", held, key=f"hold {path_of}")
        path = f"/v1/checkout/holds/{hold['hold_id']}"
        if order_id is None:
            await api.ok("POST", f"{path}/cancel")
        else:
            paid_at = (await api.ok("GET", "/v1/sandbox/clock"))["now"]
            body = {"order_id": order_id, "paid_at": paid_at}
            await api.ok("POST", f"{path}/commit", body, key="commit")
            back = {
                "return_id": "В-1",
                "returned_at": paid_at,
                "lines": [{"line": 1, "quantity": 1}],
            }
            await api.ok("POST", "/v1/orders/own_site/А-1/returns", back)
    await api.ok("POST", "/v1/sandbox/clock", {"advance": "P1D"})  # yesterday's were too many
    bought = at + timedelta(days=12)
    paper = receipt(71, lines=[CREAM], seller=CORNER_SHOP, at=bought)
    await api.batch({"member_id": member_id, "document": render(paper)})
    paid_at = bought.replace(tzinfo=ZoneInfo("Europe/Moscow")).isoformat()
    order = {
        **asked,
        "sales_channel": "own_shop",
        "order_id": "А-2",
        "ordered_at": paid_at,
        "paid_at": paid_at,
        "lines": [{**goods[0], "quantity": 1}],
        "paid_kopecks": 83_000,
    }
    await api.ok("POST", "/v1/orders", order)


def _schemas() -> list[str]:
    return sorted({one.domain for one in migrate.read(share.folder("migrations"))})


def _ensure_filled(db: psycopg.Connection, member_id: Any) -> None:
    """A new column has to be filled by `_life`, or to stand in `EMPTY` with its reason."""
    empty = []
    for schema, table, columns in db.execute(OF_MEMBERS, [list(DOMAINS)]).fetchall():
        counts = sql.SQL("SELECT {} FROM {} WHERE member_id = %s").format(
            sql.SQL(", ").join(sql.SQL("count({})").format(sql.Identifier(one)) for one in columns),
            sql.Identifier(schema, table),
        )
        found = db.execute(counts, [member_id]).fetchone()
        empty += [
            f"{schema}.{table}.{column}"
            for column, count in zip(columns, found, strict=True)
            if not count and f"{schema}.{table}" not in EMPTY
        ]
    expected = {one for one in EMPTY if one.count(".") == 2}
    assert not (left := sorted(set(empty) - expected)), f"nothing fills {left}"
    assert expected - set(empty) == set(), "these are filled after all"


def _dump(db: psycopg.Connection, vault: Vault) -> str:
    """All rows of all tables as text, and what is sealed in them in clear."""
    rows = []
    for schema, table in db.execute(TABLES, [_schemas()]).fetchall():
        query = sql.SQL("SELECT t::text FROM {} AS t").format(sql.Identifier(schema, table))
        rows += [f"{schema}.{table} {row[0]}" for row in db.execute(query)]
    return "\n".join([*rows, *_unsealed(db, vault)])


def _unsealed(db: psycopg.Connection, vault: Vault) -> list[str]:
    shown = []
    for member_id, sealed in db.execute(
        "SELECT member_id, sealed FROM members.member WHERE sealed IS NOT NULL"
    ):
        shown.append(str(sealing.open_profile(vault, member_id, sealed)))
        shown.append(sealing.open_profile(vault, member_id, sealed)[1].isoformat())
    for member_id, kind, sealed in db.execute(
        "SELECT member_id, kind, sealed FROM members.identity"
    ):
        shown.append(sealing.open_contact(vault, member_id, kind, sealed))
    for sign_in_id, sealed in db.execute(
        "SELECT sign_in_id, phone FROM access.sign_in WHERE phone IS NOT NULL"
    ):
        context = signing_in._context(sign_in_id)
        shown.append(vault.decrypt(sealed, context=context).decode())
    for *place, sealed in db.execute(
        "SELECT key_id, route, idempotency_hmac, sealed FROM access.answer"
    ):
        asked = answers.Asked(*place, fingerprint=b"", wall=datetime.now(UTC))
        body = zlib.decompress(vault.decrypt(sealed, context=asked.context))
        shown.append(body.decode())
    for letter_id, sealed in db.execute(
        "SELECT letter_id, sealed FROM receipts.letter WHERE sealed IS NOT NULL"
    ):
        shown.append(vault.decrypt(sealed, context=mailing._context(letter_id)).decode())
    for merge_id, sealed in db.execute(
        "SELECT merge_id, sealed FROM members.merge WHERE sealed IS NOT NULL"
    ):
        shown.append(vault.decrypt(sealed, context=journal._context(merge_id)).decode())
    return shown


def _found(dump: str, secret: str) -> bool:
    """In clear, in hex as bytea shows it, in base64 at any offset, escaped as JSON does."""
    text = secret.encode()
    coded = {secret, text.hex(), text.hex().upper(), secret.encode("unicode_escape").decode()}
    for offset in range(3):
        whole = base64.b64encode(bytes(offset) + text).decode().rstrip("=")
        coded.add(whole[(0, 2, 3)[offset] : -1])  # its ends hang on what stands beside
    return any(one in dump for one in coded)


def _blinds(vault: Vault) -> list[str]:
    """What she is found by."""
    contacts = [("phone", PHONE), ("phone", OTHER_PHONE), ("email", EMAIL)]
    contacts += [("telegram", TELEGRAM), ("card", CARD)]
    found = [identities.read(*contact).blind(vault).hex() for contact in contacts]
    return [*found, devices.blinded(vault, DEVICE).hex()]

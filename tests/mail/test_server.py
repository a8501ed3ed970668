"""Letters over a real SMTP connection into a real database."""

import asyncio
import smtplib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from vezde.kit.clock import Clock
from vezde.kit.db import Database
from vezde.kit.vault import Vault
from vezde.mail import server
from vezde.members import operations as members
from vezde.members.model import NewIdentity, NewMember
from vezde.receipts.mailing import operations as mailing
from vezde.testing import pages
from vezde.testing.documents import letter

DOMAIN = "mail.lunaria.example"
ANNA = NewMember(identities=(NewIdentity("telegram", "7001"),))


@dataclass
class Post:
    database: Database
    vault: Vault
    box: server.Box
    port: int
    anna: UUID
    address: str

    async def send(self, raw: bytes, *to: str) -> dict[str, tuple[int, bytes]]:
        """Who was refused; raises what smtplib does when all were."""

        def talk() -> dict[str, tuple[int, bytes]]:
            with smtplib.SMTP("127.0.0.1", self.port, timeout=10) as client:
                return client.sendmail("shop@shop.example", list(to or [self.address]), raw)

        return await asyncio.to_thread(talk)

    async def kept(self) -> int:
        async with self.database.transaction() as db:
            return await mailing.waiting(db)


@pytest.fixture
async def post(fresh) -> AsyncIterator[Post]:
    vault, clock = Vault(bytes(32)), Clock(sandbox=False)
    async with Database(fresh.app, size=4) as database:
        async with database.transaction() as db:
            now = await clock.programme(db)
            (anna,) = await members.enrol(db, [ANNA], vault=vault, now=now, actor="test")
            name = await mailing.mailbox(db, anna.member_id, now=now)
        box = server.Box(database, clock, vault, DOMAIN)
        listening = await server.listen(box, host="127.0.0.1", port=0)
        port = listening.sockets[0].getsockname()[1]
        async with listening:
            yield Post(database, vault, box, port, anna.member_id, f"{name}@{DOMAIN}")


class TestMailbox:
    async def test_is_one_for_each_member(self, post: Post) -> None:
        async with post.database.transaction() as db:
            now = await Clock(sandbox=False).programme(db)
            assert f"{await mailing.mailbox(db, post.anna, now=now)}@{DOMAIN}" == post.address
        assert mailing.NAME.fullmatch(post.address.partition("@")[0])


class TestLetters:
    async def test_are_kept_before_they_are_answered(self, post: Post) -> None:
        assert await post.send(letter("Чек", text="Ваш чек")) == {}
        assert await post.kept() == 1

    async def test_sent_again_are_known(self, post: Post) -> None:
        for _ in range(3):
            await post.send(letter("Чек", message_id="<7@shop.example>"))
        await post.send(letter("Чек", message_id="<8@shop.example>"))
        assert await post.kept() == 2

    async def test_without_a_name_are_known_by_what_they_say(self, post: Post) -> None:
        raw = b"Subject: a\r\n\r\nhello\r\n"
        await post.send(raw)
        await post.send(raw)
        assert await post.kept() == 1

    async def test_to_nobody_are_refused(self, post: Post) -> None:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
            await post.send(letter("Чек"), f"m-222222@{DOMAIN}")
        assert next(iter(caught.value.recipients.values()))[0] == 550
        with pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
            await post.send(letter("Чек"), "anna@elsewhere.example")
        assert next(iter(caught.value.recipients.values()))[0] == 550
        assert await post.kept() == 0

    async def test_to_one_of_several_are_kept_for_that_one(self, post: Post) -> None:
        refused = await post.send(letter("Чек"), post.address.upper(), f"m-222222@{DOMAIN}")
        assert [code for code, _ in refused.values()] == [550]
        assert await post.kept() == 1

    async def test_too_large_are_refused(self, post: Post) -> None:
        with pytest.raises(smtplib.SMTPException):
            await post.send(b"Subject: a\r\n\r\n" + b"x" * 70 + b"\r\n" + b"y" * 78 * 300_000)
        assert await post.kept() == 0

    async def test_by_the_hundred_wait(self, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(mailing, "MOST_A_DAY", 2)
        await post.send(letter("1", message_id="<1@a>"))
        await post.send(letter("2", message_id="<2@a>"))
        with pytest.raises(smtplib.SMTPDataError) as caught:
            await post.send(letter("3", message_id="<3@a>"))
        assert caught.value.smtp_code == 452
        assert await post.kept() == 2

    async def test_of_one_peer_have_a_rate(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(server, "MOST_A_MINUTE", 1)
        await post.send(letter("1", message_id="<1@a>"))
        with pytest.raises(smtplib.SMTPException):
            await post.send(letter("2", message_id="<2@a>"))
        assert await post.kept() == 1

    async def test_names_are_not_tried_by_the_hundred(self, post: Post) -> None:
        def guess() -> list[int]:
            codes = []
            with smtplib.SMTP("127.0.0.1", post.port, timeout=10) as client:
                client.ehlo()
                client.mail("a@b.example")
                for number in range(8):
                    codes.append(client.rcpt(f"m-22222{number + 2}@{DOMAIN}")[0])
                    if codes[-1] == 421:
                        break
            return codes

        assert (await asyncio.to_thread(guess))[-1] == 421

    async def test_may_come_over_tls(self, post: Post, tmp_path: Path) -> None:
        certificate, trusted = pages._certificate(tmp_path)
        trusted.check_hostname = False
        listening = await server.listen(post.box, host="127.0.0.1", port=0, certificate=certificate)
        port = listening.sockets[0].getsockname()[1]

        def talk() -> bool:
            with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
                client.starttls(context=trusted)
                client.ehlo()
                client.sendmail("shop@shop.example", [post.address], letter("Чек"))
                return client.has_extn("auth")

        async with listening:
            assert not await asyncio.to_thread(talk)
        assert await post.kept() == 1
        assert not post.box.counts.connected

    async def test_connections_have_a_limit(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(server, "MOST_OF_A_PEER", 2)

        def greeting() -> tuple[socket.socket, bytes]:
            made = socket.create_connection(("127.0.0.1", post.port), timeout=10)
            return made, made.recv(200)

        opened = [await asyncio.to_thread(greeting) for _ in range(3)]
        try:
            assert [said[:3] for _, said in opened] == [b"220", b"220", b"421"]
        finally:
            for one, _ in opened:
                one.close()

    async def test_without_a_database_are_put_off(self, post: Post) -> None:
        away = Database("host=127.0.0.1 port=1 dbname=nothing", size=1, timeout_seconds=0.3)
        await away.pool.open(wait=False)
        post.box.database = away
        with pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
            await post.send(letter("Чек"))
        await away.close()
        assert next(iter(caught.value.recipients.values()))[0] == 451

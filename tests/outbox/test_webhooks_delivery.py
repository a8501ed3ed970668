"""Where webhooks go and where never; https by a name to the address that was checked."""

import logging
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from vezde.outbox.webhooks import model
from vezde.outbox.webhooks.delivery import Post, read
from vezde.outbox.webhooks.model import InvalidWebhook, Outcome, Reach
from vezde.testing.webhooks import WebhookReceiver, redirect

PUBLIC, LOOPBACK, PRIVATE = Reach(), Reach(loopback=True), Reach(private=True)
KNOWN = frozenset({"receipt.accepted/1", "member.enrolled/1"})
NAME = "hooks.lunaria.test"


class TestReach:
    @pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111"])
    def test_is_the_public_internet(self, address):
        assert PUBLIC.allows(address)

    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1",
            "127.9.9.9",
            "10.0.0.5",
            "172.16.1.1",
            "192.168.1.10",
            "100.64.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fe80::1%eth0",
            "fd00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.5",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
        ],
    )
    def test_is_nothing_else_by_default(self, address):
        assert not PUBLIC.allows(address)

    def test_of_a_sandbox_is_its_own_machine_too(self):
        assert all(LOOPBACK.allows(one) for one in ("127.0.0.1", "::1", "8.8.8.8"))
        assert not any(LOOPBACK.allows(one) for one in ("10.0.0.5", "169.254.169.254"))

    def test_of_a_house_is_its_networks_but_never_the_link(self):
        for address in ("10.0.0.5", "192.168.1.10", "fd00::1", "127.0.0.1", "::ffff:10.0.0.5"):
            assert PRIVATE.allows(address)
        assert not any(PRIVATE.allows(one) for one in ("169.254.169.254", "fe80::1", "0.0.0.0"))


class TestUrl:
    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ("https://crm.example.org/in?from=vezde", "https://crm.example.org/in?from=vezde"),
            ("https://CRM.example.org", "https://crm.example.org/"),
            ("https://crm.example.org:8443/in", "https://crm.example.org:8443/in"),
            ("https://лунария.рф/in", "https://xn--80aqhiqp2g.xn--p1ai/in"),
            ("https://[2606:4700::1111]/in", "https://[2606:4700::1111]/in"),
        ],
    )
    def test_is_kept_with_its_host_in_ascii(self, given, kept):
        assert model.sound_url(given, PUBLIC) == kept

    @pytest.mark.parametrize(
        "given",
        [
            "",
            "crm.example.org",
            "http://crm.example.org/in",
            "ftp://crm.example.org/in",
            "https:///in",
            "https://login:word@crm.example.org/in",
            "https://crm.example.org/in#part",
            "https://crm.example.org/in here",
            "https://crm.example.org/чеки",
            "https://crm.example.org:0/in",
            "https://crm.example.org:99999/in",
            "https://crm.example.org/\nin",
            "https://127.0.0.1/in",
            "https://localhost/in",
            "https://a.localhost./in",
            "https://[::1]/in",
            "https://169.254.169.254/latest",
            "https://" + "a" * 64 + ".example.org/in",
            "https://crm.example.org/" + "a" * 2_048,
        ],
    )
    def test_is_refused_with_a_reason(self, given):
        with pytest.raises(InvalidWebhook) as caught:
            model.sound_url(given, PUBLIC)
        assert caught.value.errors[0].path == "url"

    def test_may_be_of_this_machine_in_a_sandbox(self):
        assert model.sound_url("http://127.0.0.1:9000/in", LOOPBACK)
        assert model.sound_url("http://localhost:9000/in", LOOPBACK)
        with pytest.raises(InvalidWebhook):
            model.sound_url("http://10.0.0.5/in", LOOPBACK)


class TestKinds:
    def test_are_sorted_and_all_is_one(self):
        wanted = model.sound_kinds(["receipt.accepted/1", "member.enrolled/1"] * 2, known=KNOWN)
        assert wanted == ["member.enrolled/1", "receipt.accepted/1"]
        assert model.sound_kinds(["receipt.accepted/1", "*"], known=KNOWN) == ["*"]

    @pytest.mark.parametrize("kinds", [[], ["receipt.accepted"], ["access.key_created/1"]])
    def test_are_refused_unless_told(self, kinds):
        with pytest.raises(InvalidWebhook):
            model.sound_kinds(kinds, known=KNOWN)


def resolving(*addresses):
    async def resolve(_host, _port):
        return list(addresses)

    return resolve


class TestAddress:
    @pytest.mark.parametrize(
        "address", ["127.0.0.1", "10.0.0.5", "169.254.169.254", "::ffff:127.0.0.1"]
    )
    async def test_that_a_name_leads_to_is_checked(self, address):
        """What the name is checked as is not what it was when the webhook was made."""
        post = Post(PUBLIC, resolve=resolving(address))
        outcome = await post(f"https://{NAME}/in", b"{}", {})
        assert outcome == Outcome(reason="address_not_public")

    async def test_of_the_system_is_checked_too(self):
        assert (await Post(PUBLIC)("https://localhost/in", b"{}", {})).reason == (
            "address_not_public"
        )
        assert (await Post(PUBLIC)("https://2130706433/in", b"{}", {})).reason == (
            "address_not_public"
        )

    async def test_by_plain_http_is_refused_out_of_a_sandbox(self):
        outcome = await Post(PUBLIC)("http://8.8.8.8/in", b"{}", {})
        assert outcome.reason == "https_required"

    async def test_of_a_redirect_is_not_gone_to(self):
        async with WebhookReceiver() as first, WebhookReceiver() as second:
            first.always = redirect(second.url)
            first.secrets = []
            outcome = await _genuine(first, Post(LOOPBACK))
            assert (outcome.status, outcome.reason) == (307, "redirect")
            assert second.received == []

    async def test_is_the_next_one_when_the_first_does_not_answer(self):
        async with WebhookReceiver() as receiver:
            post = Post(LOOPBACK, resolve=resolving("127.0.0.2", "127.0.0.1"))
            url = f"http://{NAME}:{receiver.port}/in"
            assert (await _genuine(receiver, post, url=url)).taken

    async def test_stands_in_no_log(self, caplog):
        caplog.set_level(logging.DEBUG, logger="root")
        async with WebhookReceiver() as receiver:
            outcome = await _genuine(receiver, Post(LOOPBACK), url=f"{receiver.url}?token=mine")
        assert outcome.taken
        told = [one.getMessage() for one in caplog.records if one.name.startswith("httpx")]
        assert told == []

    async def test_without_a_name_is_said(self):
        async def nobody(_host, _port):
            raise OSError

        post = Post(PUBLIC, resolve=nobody)
        assert (await post(f"https://{NAME}/in", b"{}", {})).reason == "name_not_found"


async def _genuine(receiver, post, *, url=None):
    from vezde.outbox.webhooks import signing

    secret = signing.new_secret()
    receiver.secrets = [secret]
    headers = signing.headers("evt_1", b"{}", wall=datetime.now(UTC), secrets=[secret])
    return await post(url or receiver.url, b"{}", headers)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of NAME, signed by itself: (PEM file, context that trusts it)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    start = datetime.now(UTC) - timedelta(minutes=5)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = made.public_bytes(serialization.Encoding.PEM)
    path.write_bytes(public + private)
    return path, ssl.create_default_context(cadata=public.decode())


class TestHttps:
    async def test_is_of_the_name_at_the_checked_address(self, certificate):
        path, authorities = certificate
        async with WebhookReceiver(certificate=path) as receiver:
            post = Post(LOOPBACK, resolve=resolving("127.0.0.1"), authorities=authorities)
            url = f"https://{NAME}:{receiver.port}/in"
            assert (await _genuine(receiver, post, url=url)).taken

    async def test_of_another_name_is_refused(self, certificate):
        path, authorities = certificate
        async with WebhookReceiver(certificate=path) as receiver:
            post = Post(LOOPBACK, resolve=resolving("127.0.0.1"), authorities=authorities)
            url = f"https://other.lunaria.test:{receiver.port}/in"
            assert (await _genuine(receiver, post, url=url)).reason == "tls"
            assert receiver.received == []

    async def test_of_nobody_known_is_refused(self, certificate):
        path, _ = certificate
        async with WebhookReceiver(certificate=path) as receiver:
            post = Post(LOOPBACK, resolve=resolving("127.0.0.1"))
            url = f"https://{NAME}:{receiver.port}/in"
            assert (await _genuine(receiver, post, url=url)).reason == "tls"


class TestAnswer:
    @pytest.mark.parametrize("status", [200, 202, 204])
    def test_of_success_is_taken(self, status):
        assert read(status, "").taken

    def test_tells_how_long_to_wait(self):
        assert read(503, "120").retry_after_seconds == 120
        assert read(503, "soon").retry_after_seconds is None
        assert read(500, "120").retry_after_seconds is None

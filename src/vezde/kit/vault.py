"""The vault: seals persons' fields and stored answers, and makes the blind index they are found by.

Everything derives from one 32-byte root key by HKDF-SHA256 (RFC 5869). A sealed value is

    version (1) | key id (4) | nonce (24) | AES-256-GCM ciphertext and tag

where the first half of the nonce derives a key for this value alone and the second half is the
GCM nonce: the construction of XAES-256-GCM (C2SP) with HMAC for CMAC. Random nonces stay safe for
any number of values, which plain GCM under one key promises for 2^32 only; stored answers pass
that within a year of a busy programme.

Rotation: give the new root key and the former ones as `older`. Values are sealed by the new key
and read by any of them. The blind index stays with the oldest key, or nobody would be found;
leaving that key out takes a rebuild of the index, and `index_key_id` is there to notice.
"""

import base64
import binascii
import hmac
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vezde.kit.errors import DomainError, Kind

KEY_BYTES = 32
VERSION = 1
KEY_ID_BYTES, SALT_BYTES, NONCE_BYTES = 4, 12, 12
HEADER = 1 + KEY_ID_BYTES
BODY = HEADER + SALT_BYTES + NONCE_BYTES


class InvalidKey(DomainError):
    """What was given as a vault key is not one."""

    code = "invalid_vault_key"
    kind = Kind.INVALID


class UnknownKey(DomainError):
    """The value was sealed by a key that this vault does not have."""

    code = "vault_key_unknown"
    kind = Kind.UNAVAILABLE


class CannotUnseal(DomainError):
    """The value is damaged, or belongs to another row than the one it was found in."""

    code = "cannot_unseal"
    kind = Kind.UNAVAILABLE


def new_key() -> str:
    """A fresh root key as text for the key file."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode("ascii")


def read_key(text: str) -> bytes:
    """A root key from the text of its file: base64 or hex of 32 bytes; raises `InvalidKey`."""
    body = text.strip()
    try:
        if len(body) == 2 * KEY_BYTES:
            key = bytes.fromhex(body)
        else:
            standard = body.replace("-", "+").replace("_", "/")
            key = base64.b64decode(standard, validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != KEY_BYTES:
        raise InvalidKey(
            "A vault key is 32 random bytes in base64 or hex; make one with `openssl rand -hex 32`"
        )
    return key


class Vault:
    """Seals, unseals and indexes under the keys derived from `root` and the `older` root keys.

    `older` goes from the latest to the first ever used. Raises `InvalidKey` for a key of another
    length than 32 bytes or one given twice.
    """

    __slots__ = ("_index_key", "_key_id", "_seal_key", "_seal_keys", "index_key_id")

    def __init__(self, root: bytes, *, older: Sequence[bytes] = ()) -> None:
        roots = [root, *older]
        if any(len(key) != KEY_BYTES for key in roots) or len(set(roots)) != len(roots):
            raise InvalidKey("Vault keys are 32 bytes each, and every one is given once")
        self._seal_keys = {_key_id(key): _derive(key, b"seal") for key in roots}
        self._key_id = _key_id(root)
        self._seal_key = self._seal_keys[self._key_id]
        self._index_key = _derive(roots[-1], b"index")
        self.index_key_id = _key_id(roots[-1])

    def __repr__(self) -> str:
        return f"<Vault {self._key_id.hex()}, {len(self._seal_keys)} keys>"

    def encrypt(self, plain: bytes, *, context: bytes) -> bytes:
        """Seal `plain` for the place named by `context`; only the same context opens it.

        The result is 45 bytes longer than `plain`.
        """
        header = bytes((VERSION,)) + self._key_id
        nonce = os.urandom(SALT_BYTES + NONCE_BYTES)
        cipher = AESGCM(hmac.digest(self._seal_key, nonce[:SALT_BYTES], "sha256"))
        return header + nonce + cipher.encrypt(nonce[SALT_BYTES:], plain, header + context)

    def decrypt(self, sealed: bytes, *, context: bytes) -> bytes:
        """What was sealed there.

        Raises `UnknownKey`, or `CannotUnseal` when it is damaged or of another context.
        """
        header, nonce = sealed[:HEADER], sealed[HEADER:BODY]
        if len(sealed) < BODY or header[0] != VERSION:
            raise CannotUnseal("This is not a sealed value; restore the row from a backup")
        key = self._seal_keys.get(header[1:])
        if key is None:
            raise UnknownKey(
                f"The value was sealed by vault key {header[1:].hex()}, which this installation "
                "does not have; give that key among the older ones and start again"
            )
        try:
            cipher = AESGCM(hmac.digest(key, nonce[:SALT_BYTES], "sha256"))
            return cipher.decrypt(nonce[SALT_BYTES:], sealed[BODY:], header + context)
        except InvalidTag as error:
            raise CannotUnseal(
                "The sealed value is damaged or was moved from another row; "
                "restore the row from a backup"
            ) from error

    def blind(self, text: str, *, purpose: str) -> bytes:
        """32 bytes by which a row is found without its text; equal texts of a purpose are equal.

        HMAC-SHA256; normalise the text first, the index sees bytes.
        """
        return hmac.digest(self._index_key, f"{purpose}\0{text}".encode(), "sha256")


def _derive(root: bytes, use: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"vezde vault " + use).derive(
        root
    )


def _key_id(root: bytes) -> bytes:
    """Names a key in rows and messages without telling anything of it."""
    return _derive(root, b"id")[:KEY_ID_BYTES]

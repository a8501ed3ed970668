"""How people are recognised: reading phones, e-mails and ids into their one normal form.

No message repeats what it could not read: it is personal, and messages are logged.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

from vezde.kit.errors import DomainError, FieldError, Kind
from vezde.kit.vault import Vault

PHONE, EMAIL = "phone", "email"
MESSENGERS = ("telegram", "max", "vk")
EXTERNAL = ("external", "crm", "site", "till", "card")
HOME_REGION = "RU"

# The form nearly every Russian customer's phone has; phonenumbers takes 16 us for it, this 1 us.
RUSSIAN_MOBILE = re.compile(r"(?:\+7|7|8)(9[0-24-9][0-9]{8})", re.ASCII)
MESSENGER_ID = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
EXTERNAL_KIND = re.compile(rf"(?:{'|'.join(EXTERNAL)})(?::[a-z0-9][a-z0-9_-]{{0,30}})?", re.ASCII)
LOCAL_PART = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*")
DOMAIN = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})", re.ASCII
)


class _Unreadable(DomainError):
    kind: ClassVar[Kind] = Kind.INVALID

    def __init__(self, detail: str, *, path: str) -> None:
        super().__init__(detail, errors=(FieldError(path, self.code, detail),))


class InvalidPhone(_Unreadable):
    code = "invalid_phone"


class InvalidEmail(_Unreadable):
    code = "invalid_email"


class InvalidIdentity(_Unreadable):
    code = "invalid_identity"


@dataclass(frozen=True)
class Contact:
    """An identity in its normal form; `text` is what the blind index sees."""

    kind: str
    value: str = field(repr=False)
    text: str = field(repr=False)

    def blind(self, vault: Vault) -> bytes:
        return vault.blind(self.text, purpose=f"members.{self.kind}")


def read(kind: str, value: str, *, path: str = "value") -> Contact:
    """Normal form of an identity of any kind.

    Kinds are `phone`, `email`, `telegram`, `max`, `vk`, and ids of other systems: `external`,
    `crm`, `site`, `till`, `card`, each also with a name space as in `crm:retail`.
    Raises `InvalidPhone`, `InvalidEmail` or `InvalidIdentity`.
    """
    if kind == PHONE:
        number = phone(value, path=path)
        return Contact(kind, number, number)
    if kind == EMAIL:
        address = email(value, path=path)
        return Contact(kind, address, _email_index(address))
    if kind in MESSENGERS:
        account = _messenger_id(kind, value, path)
        return Contact(kind, account, account)
    if EXTERNAL_KIND.fullmatch(kind):
        foreign = _external_id(value, path)
        return Contact(kind, foreign, foreign)
    raise InvalidIdentity(
        f"«{kind[:40]}» is no kind of identity; take phone, email, {', '.join(MESSENGERS)}, "
        f"or {', '.join(EXTERNAL)}, which may carry a name space (crm:retail)",
        path=path,
    )


def phone(text: str, *, path: str = "phone") -> str:
    """A phone in E.164, `+79161234567`; raises `InvalidPhone`.

    Without a country code it is Russian. A leading space before digits is a plus that a query
    string turned into a space.
    """
    quick = RUSSIAN_MOBILE.fullmatch(text.strip())
    if quick:
        return f"+7{quick[1]}"
    import phonenumbers  # a tenth of a second, which no short command should wait for

    for candidate in _readings(text):
        try:
            number = phonenumbers.parse(candidate, HOME_REGION)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number) and not number.extension:
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    raise InvalidPhone(
        "This is not a valid phone number; write it with its country code, like +7 916 000-00-00",
        path=path,
    )


def phones(texts: Iterable[str]) -> dict[str, str]:
    """Each text as given with its phone; texts that are no phones are left out."""
    found = {}
    for text in texts:
        try:
            found[text] = phone(text)
        except InvalidPhone:
            continue
    return found


def _readings(text: str) -> list[str]:
    """The text's possible meanings, the likeliest first."""
    bare = text.strip()
    if not 5 <= len(bare) <= 40 or any(char.isalpha() for char in bare):
        return []  # letters would be read as the keys they stand on
    if bare.startswith("+") or not bare[0].isdigit():
        return [bare]
    abroad = f"+{bare}"
    return [abroad, bare] if text[0] == " " else [bare, abroad]


def email(text: str, *, path: str = "email") -> str:
    """An e-mail address with its domain in lower case; raises `InvalidEmail`."""
    address = unicodedata.normalize("NFC", text.strip())
    local, _, domain = address.rpartition("@")
    domain = domain.casefold()
    if (
        len(address) <= 254
        and len(local) <= 64
        and LOCAL_PART.fullmatch(local)
        and DOMAIN.fullmatch(_ascii_domain(domain))
    ):
        return f"{local}@{domain}"
    raise InvalidEmail(
        "This is not an e-mail address; it should look like name@example.ru", path=path
    )


def _email_index(address: str) -> str:
    """Mail servers tell no case apart, so neither do we: one mailbox, one member."""
    local, _, domain = address.rpartition("@")
    return f"{local.casefold()}@{_ascii_domain(domain)}"


def _ascii_domain(domain: str) -> str:
    try:
        return domain.encode("idna").decode("ascii").casefold()
    except UnicodeError:  # an empty or overlong label
        return ""


def _messenger_id(kind: str, value: str, path: str) -> str:
    account = value.strip()
    if MESSENGER_ID.fullmatch(account):
        return account
    raise InvalidIdentity(
        f"A {kind} identity is the account's number, digits only; a user name does not identify",
        path=path,
    )


def _external_id(value: str, path: str) -> str:
    foreign = value.strip()
    if 1 <= len(foreign) <= 200 and foreign.isprintable():
        return foreign
    raise InvalidIdentity("An id of another system is 1 to 200 printable characters", path=path)

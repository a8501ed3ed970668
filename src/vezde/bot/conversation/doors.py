"""Doors that the bot opens: signing in on the brand's site, the card and paying at a till."""

from uuid import UUID

from vezde.access import doors as rules
from vezde.access import operations as access
from vezde.access.doors import State
from vezde.access.operations.signing_in import LINK
from vezde.bot.conversation import screens, starting
from vezde.bot.conversation.talk import PERSONAL_DATA, Answer, Talk
from vezde.checkout import operations as checkout
from vezde.checkout.operations.paying import Payment
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.ledger import queries as ledger
from vezde.messaging.model import View

# What others may be answering at this very moment: worked by itself.
ACTIONS = frozenset({"card", "login", "pay"})


def is_login(payload: str | None) -> bool:
    """Whether a start's payload is a sign-in of a page."""
    return payload is not None and payload.startswith(LINK)


async def login(db: Db, talk: Talk, payload: str) -> Answer:
    """They came by a page's link: asked whether it is they, once they have agreed to be here."""
    await talk.is_here(db)
    if PERSONAL_DATA not in talk.agreed:
        return starting.agree_first(talk)
    found = await access.linked(db, payload, vault=talk.vault, wall=talk.wall)
    if found is None or found.state is not State.WAITING:
        return Answer((talk.say(View("login_over")),))
    view = screens.login(_site(found.origin), found.number or 0, payload.removeprefix(LINK))
    return Answer((talk.say(view, slot=f"login:{found.sign_in_id}"),))


async def answer_login(db: Db, talk: Talk, rest: str) -> Answer:
    """The tap: the first answer counts, a repeated one says the same, a late one says so."""
    word, _, secret = rest.partition(":")
    found = await access.decide_link(
        db,
        f"{LINK}{secret}",
        member_id=talk.member_id,
        agrees=word == "yes",
        vault=talk.vault,
        wall=talk.wall,
    )
    view = View("login_over")
    if found is not None and found.member_id == talk.member_id:
        if found.state in {State.PROVED, State.USED}:
            view = View("login_done", {"site": _site(found.origin)})
        elif found.state is State.DECLINED:
            view = View("login_declined")
    slot = f"login:{found.sign_in_id}" if found is not None else None
    return Answer((talk.say(view, slot=slot),))


async def card(db: Db, talk: Talk, mark: str | None = None) -> Answer:
    """/card: a code for the till, as a picture and as digits; a new one takes its place."""
    code, _ = await access.make_card(db, talk.member_id, vault=talk.vault, wall=talk.wall)
    points = await ledger.points(db, talk.member_id, as_of=talk.now)
    mark = mark or talk.key
    view = screens.card(code, rules.shown(code), points.active, mark)
    return Answer((talk.say(view, slot=f"card:{mark}"),))


async def answer_payment(db: Db, talk: Talk, rest: str) -> Answer:
    """The tap on a payment's question: spent or free again; what is over already says so kindly."""
    word, _, name = rest.partition(":")
    payment_id = UUID(name)
    try:
        async with db.transaction():
            done = await _decide(db, talk, payment_id, agrees=word == "yes")
    except DomainError as error:
        if error.kind is Kind.UNAVAILABLE:
            raise
        view = View("payment_over")
    else:
        points = await ledger.points(db, talk.member_id, as_of=talk.now)
        view = screens.paid(done, points.active)
    return Answer((talk.say(view),))


async def _decide(db: Db, talk: Talk, payment_id: UUID, *, agrees: bool) -> Payment:
    if not agrees:
        return await checkout.give_up(
            db,
            talk.member_id,
            payment_id,
            declined=True,
            how="button",
            now=talk.now,
            wall=talk.wall,
            actor=talk.actor,
        )
    return await checkout.pay(
        db,
        talk.member_id,
        payment_id,
        how="button",
        vault=talk.vault,
        now=talk.now,
        wall=talk.wall,
        actor=talk.actor,
    )


def _site(origin: str) -> str:
    return origin.partition("://")[2]

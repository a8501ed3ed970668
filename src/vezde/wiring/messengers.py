"""Messengers: what sends and listens for each, and the bot that answers."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from vezde.bot import activations as bot_activations
from vezde.bot import disputes as bot_disputes
from vezde.bot import guests as bot_guests
from vezde.bot import inbox as bot_inbox
from vezde.bot import letters as bot_letters
from vezde.bot import reactions as bot_reactions
from vezde.bot import returns as bot_returns
from vezde.bot import work as bot_work
from vezde.bot.conversation import account as bot_account
from vezde.bot.polling import Poller
from vezde.bot.presence import COMMANDS, WITH_MAIL, Presence
from vezde.kit.work import Stage, jobs
from vezde.messaging import work as messaging_work
from vezde.messaging.operations.reserving import DELIVER
from vezde.messaging.sms import operations as sms_operations
from vezde.messaging.sms import work as sms_work
from vezde.receipts.operations import disputing, resolving
from vezde.receipts.photos import work as photo_work
from vezde.receipts.photos.work import Photographer
from vezde.wiring.house import House, bot_name
from vezde.wiring.lists import STEPS

if TYPE_CHECKING:
    from vezde.bot.webhook import Receiver


def messengers(house: House) -> list[Stage]:
    """A stage for each messenger; by the wall, so that a moved clock waits for none of them."""
    return [*_telegram(house), *_sms(house)]


def _sms(house: House) -> list[Stage]:
    if house.sms is None:
        return []
    sender = sms_work.Sender(house.database, house.sms, house.vault, house.clock)
    return [Stage(sms_operations.STAGE, sender.run, pauses=False)]


def _telegram(house: House) -> list[Stage]:
    if house.telegram is None:
        return []
    channel = messaging_work.Channel(house.telegram, house.settings.telegram.per_second)
    deliver = partial(
        messaging_work.deliver_once,
        house.database,
        channel,
        vault=house.vault,
        clock=house.clock,
        waker=house.waker,
    )
    return [Stage(DELIVER, deliver, pauses=False)]


def bot(house: House) -> list[Stage]:
    """The bot's inbox, by the wall: people are answered while a sandbox moves the clock.

    Reminders, guests and leaving are jobs of programme time, without a messenger, too.
    """
    handlers: Mapping[str, jobs.Handler] = {
        bot_reactions.REMIND: teller(house).remind,
        disputing.ALONE: resolving.alone,
        bot_account.FORGET: bot_worker(house).forget,
        bot_activations.TELL: herald(house).tell,
        bot_guests.WARN: guests(house).warn,
        bot_guests.FORGET: guests(house).forget,
    }
    work = partial(jobs.work_jobs, house.database, handlers, clock=house.clock)
    found = [Stage(jobs.STAGE, work, jobs.due)]
    if house.telegram is not None:
        worker = bot_worker(house)
        found += [
            Stage(bot_inbox.WORK, worker.run),
            Stage(bot_work.FILES, worker.answer_files, pauses=False),
        ]
    return found


def bot_worker(house: House) -> bot_work.Worker:
    served: dict[str, bot_work.Messenger] = {}
    if house.telegram is not None:
        served[house.telegram.name] = house.telegram
    return bot_work.Worker(
        house.database,
        house.clock,
        house.vault,
        served,
        STEPS,
        house.reader,
        house.settings.mail.domain,
    )


def photographer(house: House) -> Photographer:
    files: dict[str, photo_work.Files] = {}
    if house.telegram is not None:
        files[bot_name(house.settings)] = house.telegram
    return Photographer(house.database, house.clock, house.vault, house.reader, files)


def teller(house: House) -> bot_reactions.Teller:
    return bot_reactions.Teller(house.vault, house.clock)


def guests(house: House) -> bot_guests.Keeper:
    return bot_guests.Keeper(house.vault, house.clock, STEPS)


def letters(house: House) -> bot_letters.Caller:
    return bot_letters.Caller(house.vault, house.clock)


def regret(house: House) -> bot_returns.Regret:
    return bot_returns.Regret(house.vault, house.clock)


def mediator(house: House) -> bot_disputes.Mediator:
    return bot_disputes.Mediator(house.vault, house.clock)


def herald(house: House) -> bot_activations.Herald:
    return bot_activations.Herald(house.vault, house.clock)


def listener(house: House, conninfo: str) -> Poller | Presence | None:
    """Who sees to it that updates come, beside the stages; None without a token.

    One of all workers asks Telegram for them; with a webhook the HTTP face gets them.
    """
    given = house.settings.telegram
    if house.telegram is None:
        return None
    presence = Presence(
        house.telegram,
        house.database,
        house.clock,
        given.webhook_url,
        given.webhook_secret,
        WITH_MAIL if house.settings.mail.domain else COMMANDS,
    )
    if given.webhook_url is not None:
        return presence
    return Poller(
        bot_name(house.settings),
        house.telegram,
        house.database,
        conninfo,
        house.vault,
        house.clock,
        presence.prepare,
    )


def telegram_posts(house: House) -> "Receiver | None":
    """Who takes what Telegram posts; None where nothing is posted."""
    from vezde.bot.webhook import Receiver

    secret = house.settings.telegram.webhook_secret
    if secret is None:
        return None
    return Receiver(bot_name(house.settings), secret, house.database, house.vault, house.clock)

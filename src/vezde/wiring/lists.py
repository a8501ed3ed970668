"""What the installation is made of, domain by domain: sections, reactions, steps, ticks."""

from datetime import datetime
from typing import Any

from vezde.access import operations as access
from vezde.bot import guests as bot_guests
from vezde.bot import section as bot_section
from vezde.bot import troubles as bot_troubles
from vezde.bot import work as bot_work
from vezde.bot.section import BotSection
from vezde.checkout import operations as checkout
from vezde.checkout import section as checkout_section
from vezde.checkout.section import BurningSection, ReturnsSection
from vezde.insights import operations as insights
from vezde.kit.db import Db
from vezde.kit.troubles import Source
from vezde.kit.work import troubles as job_troubles
from vezde.kit.work.timetable import Tick
from vezde.ledger import operations as ledger
from vezde.members.operations import Step
from vezde.messaging import operations as messaging
from vezde.messaging import troubles as message_troubles
from vezde.messaging.catalogue import TextsSection
from vezde.messaging.sms import operations as sms
from vezde.outbox import troubles as reaction_troubles
from vezde.outbox.model import Reaction
from vezde.outbox.webhooks import troubles as delivery_troubles
from vezde.program import reactions as program_reactions
from vezde.program.sections import Section
from vezde.purchases import operations as purchases
from vezde.purchases import policy as returns_policy
from vezde.receipts import reactions as receipt_reactions
from vezde.receipts import section as moderation_section
from vezde.receipts import troubles as receipt_troubles
from vezde.receipts.mailing import troubles as letter_troubles
from vezde.receipts.operations import merging
from vezde.receipts.section import ModerationSection
from vezde.receipts.signals import section as signals_section
from vezde.receipts.signals.section import SignalsSection
from vezde.sellers import operations as sellers
from vezde.sellers.section import SellersSection


async def _install_returns(
    db: Db, section: dict[str, Any], *, version: int, valid_from: datetime
) -> None:
    """Returns of the shops' orders are of checkout, those of receipts of purchases."""
    await checkout_section.install_returns(db, section, version=version, valid_from=valid_from)
    await returns_policy.install(db, section, version=version, valid_from=valid_from)


SECTIONS: tuple[Section, ...] = (
    Section("burning", BurningSection, checkout_section.install_burning),
    Section("returns", ReturnsSection, _install_returns),
    Section("sellers", SellersSection, sellers.install_section),
    Section("moderation", ModerationSection, moderation_section.install_section),
    Section("signals", SignalsSection, signals_section.install_section),
    Section("texts", TextsSection, messaging.install_section),
    Section("bot", BotSection, bot_section.install_section),
)
REACTIONS: tuple[Reaction, ...] = (*program_reactions.REACTIONS, *receipt_reactions.REACTIONS)

# What merging and forgetting do, lowest layer first. Decisions stay under the id they were made
# for, and program reads those of every id a member had. Purchases name nobody.
STEPS: tuple[Step, ...] = (
    Step("ledger", ledger.merge, ledger.forget, ledger.unmerge),
    Step("messaging", messaging.merge, messaging.forget, messaging.unmerge),
    Step("messaging.sms", sms.merge, sms.forget, sms.unmerge),
    Step("program", None, None),
    Step("purchases", purchases.merge, None, purchases.unmerge),
    Step("access", access.merge, access.forget, access.unmerge),
    Step("checkout", checkout.merge, checkout.forget, checkout.unmerge),
    Step("receipts", merging.merge, merging.forget, merging.unmerge, merging.lock),
    bot_work.STEP,
)
# What may be given up on, as an operator lists it.
TROUBLES: tuple[Source, ...] = (
    bot_troubles.SOURCE,
    message_troubles.SOURCE,
    reaction_troubles.SOURCE,
    delivery_troubles.SOURCE,
    job_troubles.SOURCE,
    receipt_troubles.SOURCE,
    receipt_troubles.PROVIDER,
    letter_troubles.SOURCE,
)

TICKS = (
    Tick("outbox.months", period_seconds=86_400),
    Tick("outbox.deliveries", period_seconds=600),
    Tick("members.merges", period_seconds=86_400, calendar=True),
    Tick("access.answers", period_seconds=600),
    Tick("access.doors", period_seconds=600),
    Tick("messaging.sweep", period_seconds=3_600),
    Tick("messaging.sms_sweep", period_seconds=86_400),
    Tick("receipts.letters_sweep", period_seconds=86_400),
    Tick("receipts.photos_sweep", period_seconds=3_600),
    Tick("receipts.pushed", period_seconds=86_400),
    Tick("receipts.proofs_sweep", period_seconds=86_400),
    Tick("bot.sweep", period_seconds=3_600),
    Tick(bot_guests.TICK, period_seconds=86_400, calendar=True),
    Tick(insights.TICK, period_seconds=3_600),
)

"""getUpdates, setWebhook, deleteWebhook, getWebhookInfo.

https://core.telegram.org/bots/api#getting-updates
"""

import re

from vezde.testing.telegram.methods.request import Method, Request
from vezde.testing.telegram.model import JSON, ApiError, Update, bad_request
from vezde.testing.telegram.world import Bot, Webhook

LONGEST_POLL = 50
SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
WEBHOOK_IS_SET = (
    "Conflict: can't use getUpdates method while webhook is active; "
    "use deleteWebhook to delete the webhook first"
)
OTHER_POLL = (
    "Conflict: terminated by other getUpdates request; "
    "make sure that only one bot instance is running"
)
WEBHOOK_CAME = "Conflict: terminated by setWebhook request"


async def get_updates(request: Request) -> str:
    """The JSON array of updates, waiting up to `timeout` seconds for the first.

    A later getUpdates ends an earlier one with 409, as does setWebhook.
    """
    world, token = request.world, request.bot.token
    offset = request.integer("offset")
    limit = request.integer("limit", 100, least=1, most=100)
    timeout = request.integer("timeout", 0, least=0, most=LONGEST_POLL)
    with world.lock:
        bot = request.bot
        if bot.webhook is not None:
            raise ApiError(409, WEBHOOK_IS_SET)
        if "allowed_updates" in request.params:
            bot.updates.allow([str(kind) for kind in request.listed("allowed_updates")])
        bot.polling += 1
        turn = bot.polling
        bot.bell.ring()

    def look() -> list[Update] | None:
        bot = world.bots[token]  # a reset makes them anew
        if bot.webhook is not None:
            raise ApiError(409, WEBHOOK_CAME)
        if bot.polling != turn:
            raise ApiError(409, OTHER_POLL)
        handed = bot.updates.take(offset, limit)
        bot.statistics.handed(handed)
        return handed or None

    handed = await bot.bell.until(look, timeout)
    return "[" + ",".join(update.body for update in handed or []) + "]"


def set_webhook(request: Request) -> bool:
    """An empty address deletes it. Real Telegram takes https alone; here loopback may be http."""
    bot, url = request.bot, request.text("url")
    if not url:
        return delete_webhook(request)
    if not url.startswith(("https://", "http://127.0.0.1", "http://localhost", "http://[::1]")):
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    secret = request.text("secret_token")
    if secret and not SECRET.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")
    if request.flag("drop_pending_updates"):
        bot.updates.drop_pending()
    if "allowed_updates" in request.params:
        bot.updates.allow([str(kind) for kind in request.listed("allowed_updates")])
    bot.webhook = Webhook(
        url,
        secret,
        request.integer("max_connections", 40, least=1, most=100),
        ip_address=request.text("ip_address"),
    )
    bot.bell.ring()
    return True


def delete_webhook(request: Request) -> bool:
    if request.flag("drop_pending_updates"):
        request.bot.updates.drop_pending()
    request.bot.webhook = None
    request.bot.bell.ring()
    return True


def get_webhook_info(request: Request) -> JSON:
    bot = request.bot
    told: JSON = {
        "url": "",
        "has_custom_certificate": False,
        "pending_update_count": len(bot.updates.pending),
    }
    if bot.updates.allowed is not None:
        told["allowed_updates"] = sorted(bot.updates.allowed)
    return told | (_told(bot) if bot.webhook else {})


def _told(bot: Bot) -> JSON:
    webhook = bot.webhook
    assert webhook is not None
    told: JSON = {
        "url": webhook.url,
        "max_connections": webhook.max_connections,
        "ip_address": webhook.ip_address or "127.0.0.1",
    }
    if webhook.last_error_date:
        told["last_error_date"] = webhook.last_error_date
        told["last_error_message"] = webhook.last_error_message
    return told


METHODS: dict[str, Method] = {
    "setwebhook": set_webhook,
    "deletewebhook": delete_webhook,
    "getwebhookinfo": get_webhook_info,
}

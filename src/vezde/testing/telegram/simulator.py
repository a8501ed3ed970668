"""The simulator over HTTP: people act, the page of a chat looks, tests order faults. `/sim/…`.

Loopback alone: a request by another host name, or from a page of another host, is refused.
`?bot=<username or id>` picks the bot, the first one by default.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from vezde.testing.telegram import acting, orders, views
from vezde.testing.telegram.actions import NoSuchButton
from vezde.testing.telegram.model import JSON, ApiError, Change, User
from vezde.testing.telegram.world import Bot, World

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
LONGEST_WAIT = 50.0
KEEP_ALIVE_SECONDS = 15.0

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Refusal(Exception):
    """A request of the simulator that cannot be; `status` and what to do about it."""

    def __init__(self, said: str, status: int = 400) -> None:
        super().__init__(said)
        self.status = status


class Simulator:
    """Routes over one world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def add_routes(self, app: web.Application) -> None:
        routes = {
            ("GET", "/sim/state"): self.state,
            ("POST", "/sim/bots"): self.add_bot,
            ("GET", "/sim/users"): self.users,
            ("POST", "/sim/users"): self.add_user,
            ("GET", "/sim/users/{user}/messages"): self.messages,
            ("POST", "/sim/users/{user}/{action}"): self.act,
            ("POST", "/sim/groups"): self.add_group,
            ("POST", "/sim/updates"): self.raw_update,
            ("POST", "/sim/updates/{order}"): self.order_updates,
            ("GET", "/sim/events"): self.events,
            ("GET", "/sim/statistics"): self.statistics,
            ("GET", "/sim/calls"): self.calls,
            ("GET", "/sim/faults"): self.faults,
            ("POST", "/sim/faults"): self.order_fault,
            ("DELETE", "/sim/faults"): self.clear_faults,
            ("POST", "/sim/limits"): self.set_limits,
            ("POST", "/sim/reset"): self.reset,
            ("GET", "/sim/files/{file}"): self.file,
        }
        for (method, path), handler in routes.items():
            app.router.add_route(method, path, _guarded(handler))
        app.router.add_route("OPTIONS", "/sim/{rest:.*}", _guarded(_preflight))

    async def state(self, _http: web.Request) -> web.Response:
        with self.world.lock:
            told = {
                "bots": [views.bot(bot) for bot in self.world.bots.values()],
                "users": len(self.world.users),
                "seq": self.world.seq,
            }
        return _json(told)

    async def add_bot(self, http: web.Request) -> web.Response:
        given = await _body(http)
        token = str(given.get("token", ""))
        if not token.partition(":")[0].isdigit():
            raise Refusal('token: digits, ":" and anything')
        names = {
            name: str(given.get(name) or token.partition(":")[0])
            for name in ("username", "first_name")
        }
        bot = self.world.add_bot(token, **names)
        return _json(views.bot(bot), 201)

    async def users(self, _http: web.Request) -> web.Response:
        with self.world.lock:
            return _json([views.person(user) for user in self.world.users.values()])

    async def add_user(self, http: web.Request) -> web.Response:
        given = await _body(http)
        known = ("last_name", "username", "language_code", "phone")
        fields = {name: str(given[name]) for name in known if given.get(name)}
        user = self.world.add_user(
            str(given.get("first_name") or "Анна"), user_id=given.get("id"), **fields
        )
        return _json(views.person(user), 201)

    async def messages(self, http: web.Request) -> web.Response:
        """The chat as the person sees it."""
        with self.world.lock:
            bot, user = self._bot(http), self._user(http)
            chat = self.world.private_chat(bot, user)
            return _json(views.chat(self.world, bot, chat))

    async def act(self, http: web.Request) -> web.Response:
        """start, text, photo, document, album, contact, tap, edit, block, unblock."""
        action = acting.ACTIONS.get(http.match_info["action"])
        if action is None:
            raise Refusal(f"what a person can do: {', '.join(acting.ACTIONS)}", 404)
        given = await acting.read(http)
        await acting.prepare(self.world, given)
        with self.world.lock:
            bot, user = self._bot(http), self._user(http)
            done = action(self.world, bot, user, given)
        return _json(done, 201)

    async def add_group(self, http: web.Request) -> web.Response:
        given = await _body(http)
        with self.world.lock:
            members = [self._known(number) for number in given.get("users", [])]
            group = self.world.add_group(self._bot(http), str(given.get("title", "")), members)
        return _json({"chat_id": group.id, "title": group.title}, 201)

    async def raw_update(self, http: web.Request) -> web.Response:
        """Any JSON object as an update, the id is added: unknown kinds, malformed ones."""
        whole = await _body(http)
        with self.world.lock:
            kind = next(iter(whole), "nothing")
            made = self.world.update(self._bot(http), kind, None, whole=whole)
        return _json({"update_id": made.id if made else None}, 201)

    async def order_updates(self, http: web.Request) -> web.Response:
        """hold; release {"backwards": true} or {"order": [2, 0, 1]}; repeat {"count": 3}."""
        given = await _body(http)
        with self.world.lock:
            count = orders.updates(self._bot(http), http.match_info["order"], given)
        return _json({"count": count})

    async def events(self, http: web.Request) -> web.StreamResponse:
        """Changes after `since`: at once or within `timeout` seconds; or server-sent events.

        `{"events": […], "seq": …, "gap": true}`: with a gap the chat is to be read anew.
        """
        since = int(http.headers.get("Last-Event-ID") or http.query.get("since") or self.world.seq)
        chat = int(http.query["user"]) if "user" in http.query else None
        if "text/event-stream" in http.headers.get("Accept", ""):
            return await self._stream(http, since, chat)
        seconds = min(float(http.query.get("timeout", 0)), LONGEST_WAIT)
        return _json(await self._changes(since, chat, seconds))

    async def statistics(self, http: web.Request) -> web.Response:
        """Counts and milliseconds to the first answer; `?timings=1` with every update's times."""
        with self.world.lock:
            bot = self._bot(http)
            told = orders.statistics(self.world, bot)
            if http.query.get("timings"):
                told["timings"] = [one.api() for one in bot.statistics.timings.values()]
        return _json(told)

    async def calls(self, http: web.Request) -> web.Response:
        """The last requests of bots, newest last; `?method=` and `?limit=`."""
        limit, method = int(http.query.get("limit", 100)), http.query.get("method", "").lower()
        with self.world.lock:
            found = [one for one in self.world.calls if not method or one.method == method]
        return _json([orders.call(one) for one in found[-limit:]])

    async def faults(self, _http: web.Request) -> web.Response:
        with self.world.lock:
            return _json([orders.shown(one) for one in self.world.faults.orders])

    async def order_fault(self, http: web.Request) -> web.Response:
        order = orders.read(await _body(http))
        with self.world.lock:
            self.world.faults.add(order)
        return _json(orders.shown(order), 201)

    async def clear_faults(self, _http: web.Request) -> web.Response:
        with self.world.lock:
            self.world.faults.clear()
        return _json({})

    async def set_limits(self, http: web.Request) -> web.Response:
        """{"enforced": true, "per_second": 30, "chat_per_second": 1, "chat_burst": 5}."""
        with self.world.lock:
            bot = self._bot(http)
            bot.limits = orders.limits(await _body(http))
        return _json({})

    async def reset(self, _http: web.Request) -> web.Response:
        """Forget people, chats, updates, faults; bots stay."""
        self.world.forget_talk()
        return _json({"seq": self.world.seq})

    async def file(self, http: web.Request) -> web.Response:
        with self.world.lock:
            file = self.world.files.get(http.match_info["file"])
        if file is None or file.content is None:
            raise Refusal("no such file here", 404)
        return web.Response(body=file.content, content_type=file.mime_type)

    async def _stream(self, http: web.Request, since: int, chat: int | None) -> web.StreamResponse:
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        stream = web.StreamResponse(headers=headers | _cors(http))
        await stream.prepare(http)
        while True:
            told = await self._changes(since, chat, KEEP_ALIVE_SECONDS)
            lines = [": still here\n\n"] if not told["events"] else []
            if told["gap"]:
                lines.append(f"event: gap\nid: {told['seq']}\ndata: {{}}\n\n")
            lines += [f"id: {one['seq']}\ndata: {_text(one)}\n\n" for one in told["events"]]
            await stream.write("".join(lines).encode())
            since = told["seq"]

    async def _changes(self, since: int, chat: int | None, seconds: float) -> JSON:
        gap = False

        def look() -> list[Change] | None:
            nonlocal since, gap
            found, forgotten = self.world.changes_since(since)
            gap = gap or forgotten
            since = self.world.seq
            mine = [one for one in found if chat is None or one.chat.id == chat]
            return mine if mine or gap else None

        found = await self.world.bell.until(look, seconds)
        with self.world.lock:
            events = [views.change(self.world, one) for one in found or []]
        return {"events": events, "seq": since, "gap": gap}

    def _bot(self, http: web.Request) -> Bot:
        wanted = http.query.get("bot", "")
        for bot in self.world.bots.values():
            if wanted in {"", bot.username, str(bot.id)}:
                return bot
        raise Refusal("no such bot", 404)

    def _user(self, http: web.Request) -> User:
        return self._known(http.match_info["user"])

    def _known(self, number: Any) -> User:
        user = self.world.users.get(int(number)) if str(number).isdigit() else None
        if user is None:
            raise Refusal("no such user: POST /sim/users makes one", 404)
        return user


def _guarded(handler: Handler) -> Handler:
    async def answer(http: web.Request) -> web.StreamResponse:
        origin = http.headers.get("Origin")
        if http.url.host not in LOOPBACK or (origin and urlsplit(origin).hostname not in LOOPBACK):
            return _json({"error": "the simulator answers on loopback alone"}, 403)
        try:
            answered = await handler(http)
        except Refusal as refusal:
            answered = _json({"error": str(refusal)}, refusal.status)
        except NoSuchButton as missing:
            answered = _json({"error": str(missing)}, 404)
        except (ApiError, ValueError, KeyError, TypeError) as wrong:
            answered = _json({"error": f"{type(wrong).__name__}: {wrong}"}, 400)
        if not answered.prepared:
            answered.headers.update(_cors(http))
        return answered

    return answer


def _cors(http: web.Request) -> dict[str, str]:
    origin = http.headers.get("Origin")
    if not origin:
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "GET, POST, DELETE",
        "Access-Control-Allow-Headers": "Content-Type, Last-Event-ID",
        "Access-Control-Max-Age": "600",
        "Vary": "Origin",
    }


async def _preflight(_http: web.Request) -> web.Response:
    return web.Response(status=204)


async def _body(http: web.Request) -> JSON:
    if not http.can_read_body:
        return {}
    try:
        given = await http.json()
    except ValueError as error:
        raise Refusal("the body is to be JSON") from error
    if not isinstance(given, dict):
        raise Refusal("the body is to be a JSON object")
    return given


def _json(content: Any, status: int = 200) -> web.Response:
    return web.Response(text=_text(content), status=status, content_type="application/json")


def _text(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False)

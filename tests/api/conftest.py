"""The whole API on a socket, with a worker's stages beside it, on a database of the test's own."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import uvicorn

from vezde import settings as vezde_settings
from vezde import wiring
from vezde.access import operations as access
from vezde.kit.vault import Vault
from vezde.kit.work import Runner, heartbeat

PROGRAM: dict[str, Any] = {
    "timezone": "Europe/Moscow",
    "point_value_kopecks": 100,
    "rounding": "floor",
    "earning": {
        "default_rate_bp": 500,
        "channels": {"ozon": {"rate_bp": 500, "hold_days": 14}, "chain": {"rate_bp": 1000}},
    },
    "receipts": {"window_days": None, "per_day": None},
    "sellers": {"own_inns": []},
}
PRODUCTS = [
    {"sku": "CREAM-50", "name": "Крем для лица LUNARIA 50 мл", "brand": "LUNARIA", "size": "50 мл"},
    {"sku": "LIP-01", "name": "Помада LUNARIA тон 01", "brand": "LUNARIA", "shade": "01"},
    {"sku": "LIP-02", "name": "Помада LUNARIA тон 02", "brand": "LUNARIA", "shade": "02"},
]


@dataclass
class Api:
    """A client with a key of all scopes; `key(...)` makes others."""

    house: wiring.House
    http: httpx.AsyncClient
    base_url: str
    headers: dict[str, str] = field(default_factory=dict)

    async def key(self, *scopes: str, name: str = "test") -> dict[str, str]:
        async with self.house.database.transaction() as db:
            text, _key = await access.create_key(
                db, name=name, scopes=scopes, now=self.house.clock.wall(), actor="operator:cli"
            )
        return {"Authorization": f"Bearer {text}"}

    async def call(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, **more: Any
    ) -> httpx.Response:
        headers = {**self.headers, **more.pop("headers", {})}
        if key:
            headers["Idempotency-Key"] = key
        if body is not None:
            more["json"] = body
        return await self.http.request(method, path, headers=headers, **more)

    async def ok(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        response = await self.call(method, path, body, **more)
        assert response.is_success, response.text
        return response.json()

    async def batch(self, *lines: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
        content = "\n".join(json.dumps(one) for one in lines).encode()
        response = await self.call("POST", "/v1/receipts/batch", content=content, **more)
        assert response.is_success, response.text
        return [json.loads(one) for one in response.text.splitlines()]

    async def settled(self, receipt_id: str) -> dict[str, Any]:
        for _ in range(200):
            shown = await self.ok("GET", f"/v1/receipts/{receipt_id}")
            if shown["status"] != "checking":
                return dict(shown)
            await asyncio.sleep(0.02)
        raise AssertionError("the receipt is still being checked")


class Server(uvicorn.Server):
    """Uvicorn inside a test's loop: the signals stay pytest's."""

    def install_signal_handlers(self) -> None: ...


@pytest.fixture
async def api(fresh) -> AsyncIterator[Api]:
    environ = {
        "VEZDE_SANDBOX": "1",
        "VEZDE_DATABASE_URL": fresh.app,
        "VEZDE_DATABASE_OWNER_URL": fresh.owner,
    }
    async with serving(fresh, environ) as made:
        await made.ok("PUT", "/v1/program", {"document": PROGRAM})
        await made.ok("PUT", "/v1/catalog/products", {"items": PRODUCTS, "mode": "merge"})
        yield made


def serving(fresh: Any, environ: dict[str, str]) -> Any:
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def run() -> AsyncIterator[Api]:
        settings = vezde_settings.load(environ)
        async with wiring.open_house(settings, fresh.app, vault=Vault(bytes(32))) as house:
            config = uvicorn.Config(
                wiring.web(house), host="127.0.0.1", port=0, log_config=None, access_log=False
            )
            server = Server(config)
            config.load()
            server.lifespan = config.lifespan_class(config)
            stop = asyncio.Event()
            stages = wiring.stages(house)
            runner = asyncio.create_task(
                Runner(house.database, stages, house.waker, house.clock).run(stop)
            )
            async with heartbeat.beating(house.database, [one.name for one in stages]):
                await server.startup()
                port = server.servers[0].sockets[0].getsockname()[1]
                serving_task = asyncio.create_task(server.main_loop())
                base_url = f"http://127.0.0.1:{port}"
                async with httpx.AsyncClient(base_url=base_url, timeout=30) as client:
                    made = Api(house, client, base_url)
                    made.headers = await made.key("all", name="all")
                    try:
                        yield made
                    finally:
                        server.should_exit = True
                        await serving_task
                        await server.shutdown()
                        stop.set()
                        await runner

    return run()


@pytest.fixture
async def anna(api: Api) -> str:
    member = await api.ok("POST", "/v1/members", {"phone": "+7 900 000-00-01", "name": "Анна"})
    return str(member["id"])


@pytest.fixture
async def boris(api: Api) -> str:
    return str((await api.ok("POST", "/v1/members", {"phone": "+79000000002"}))["id"])

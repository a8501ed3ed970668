"""Receipts posted one by one at a fixed rate, as tills and shops post them."""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import _http
import uvloop

from vezde.kit import ids
from vezde.testing.installation import Installation

CONNECTIONS = 32
WATCHED_EACH = 20  # of posts; looking after each would be most of the load
LOOK_SECONDS = 0.02
PATIENCE_SECONDS = 30.0


@dataclass
class Singles:
    """`answered` and `visible`: seconds from when a post was to leave, for each and for some."""

    server: Installation
    answered: list[float] = field(default_factory=list)
    visible: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def run(self, bodies: Sequence[dict[str, Any]], rate: float) -> None:
        """Post all, on time whether or not others were answered."""
        uvloop.run(self._run(bodies, rate))

    async def _run(self, bodies: Sequence[dict[str, Any]], rate: float) -> None:
        headers = {"Authorization": f"Bearer {self.server.key}"}
        async with (
            _http.Client(self.server.port, headers, connections=CONNECTIONS) as self.http,
            asyncio.TaskGroup() as group,
        ):
            start = time.perf_counter() + 0.1
            for number, body in enumerate(bodies):
                at = start + number / rate
                await asyncio.sleep(max(at - time.perf_counter(), 0))
                group.create_task(self._post(body, at, watched=number % WATCHED_EACH == 0))

    async def _post(self, body: dict[str, Any], at: float, *, watched: bool) -> None:
        self.late.append(time.perf_counter() - at)
        status, content = await self.http.post("/v1/receipts", body, str(ids.new()))
        self.answered.append(time.perf_counter() - at)
        told = json.loads(content)
        if status != 202:
            self.refused[f"{status} {told.get('code')}"] += 1
        elif watched:
            await self._look(told["id"], at)

    async def _look(self, receipt_id: str, at: float) -> None:
        status = ""
        while time.perf_counter() - at < PATIENCE_SECONDS:
            _, content = await self.http.send("GET", f"/v1/receipts/{receipt_id}")
            told = json.loads(content)
            if (
                told["status"] == "accepted"
                and told["points"]["pending"] + told["points"]["active"]
            ):
                self.visible.append(time.perf_counter() - at)
                return
            status = told["status"]
            await asyncio.sleep(LOOK_SECONDS)
        self.refused[f"not visible: {status}"] += 1

"""The Python client against the API on a socket, and against servers that fail to order."""

from collections.abc import AsyncIterator

import pytest

from api.conftest import Api, anna, api, boris
from vezde_client import AsyncVezde, Retrying, Vezde

__all__ = ["anna", "api", "boris"]  # fixtures

QUICK = Retrying(attempts=3, first_seconds=0.01, longest_seconds=0.2)


def secret(api: Api) -> str:
    return api.headers["Authorization"].removeprefix("Bearer ")


@pytest.fixture
async def vezde(api: Api) -> AsyncIterator[AsyncVezde]:
    async with AsyncVezde(api.base_url, secret(api), retrying=QUICK) as client:
        yield client


@pytest.fixture
def blocking(api: Api):
    with Vezde(api.base_url, secret(api), retrying=QUICK) as client:
        yield client

"""Routes that somebody waits for at a till: FastAPI's, without its way to what a function takes.

It looks through the function, its dependencies and the body's fields anew for each request, which
was a tenth of a hold. Here a request that is as it should be is read by one call of pydantic; what
is not goes FastAPI's way, which says what is wrong with it as everywhere. Work in bulk gives way
to them.
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from vezde.api import callers, tools

JSON = "application/json"


class QuickRoute(APIRoute):
    """For a function that answers a Response and takes, each if it wants it: the request, texts of
    the path, a JSON body, a caller (`callers.scope`) and the tools.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        slow = super().get_route_handler()
        endpoint = self.endpoint
        (body,) = self.dependant.body_params
        model = body.field_info.annotation
        assert isinstance(model, type), f"{self.path} takes one model"
        assert issubclass(model, BaseModel), f"{self.path} takes one model"
        takes_request = self.dependant.request_param_name
        given = [(one.name, _quickly(one.call)) for one in self.dependant.dependencies]

        async def handle(request: Request) -> Response:
            tools.of(request).waiting.set()
            asked = await _read(request, model)
            if asked is None:
                return await slow(request)
            values: dict[str, Any] = {body.name: asked, **request.path_params}
            if takes_request is not None:
                values[takes_request] = request
            for name, call in given:
                values[name or ""] = await call(request)
            answer: Response = await endpoint(**values)
            return answer

        return handle


async def _read(request: Request, model: type[BaseModel]) -> BaseModel | None:
    """The body, None where it is not what it should be; its announced length is checked by now."""
    if request.headers.get("content-type") != JSON or "content-length" not in request.headers:
        return None
    try:
        return model.model_validate_json(await request.body())
    except (ValidationError, ClientDisconnect):
        return None


def _quickly(call: object) -> Callable[[Request], Awaitable[Any]]:
    if call is tools.tools:
        return tools.tools
    assert isinstance(call, callers.Having), "a caller or the tools"
    return call.of

"""The application: routes joined, errors in one shape, nothing of a request in the log."""

from importlib.metadata import PackageNotFoundError, version

from fastapi import FastAPI

from vezde.api import (
    adjustments,
    batch,
    catalog,
    checkout,
    disputes,
    limits,
    members,
    ofd,
    operators,
    orders,
    origins,
    packs,
    points,
    problems,
    program,
    providers,
    quarantine,
    receipts,
    reports,
    running,
    sandbox,
    scans,
    sellers,
    sessions,
    sources,
    texts,
    till,
    till_adjustments,
    troubles,
    webhooks,
    widget,
)
from vezde.api.console import disputes as console_disputes
from vezde.api.console import goods as console_goods
from vezde.api.console import moderation as console_moderation
from vezde.api.console import people as console_people
from vezde.api.console import quality as console_quality
from vezde.api.console import quarantine as console_quarantine
from vezde.api.console import sessions as console_sessions
from vezde.api.console import today as console_today
from vezde.api.console import troubles as console_troubles
from vezde.api.tools import Tools

# They are asked in this order, so what a customer waits for at a till comes first. The batch stands
# before the receipt of an id, which would take «batch» for one.
ROUTERS = (
    checkout,
    orders,
    batch,
    ofd,
    receipts,
    quarantine,
    disputes,
    reports,
    packs,
    members,
    sources,
    scans,
    points,
    adjustments,
    catalog,
    sellers,
    program,
    texts,
    webhooks,
    troubles,
    providers,
    widget,
    sessions,
    operators,
    till,
    till_adjustments,
    console_sessions,
    console_people,
    console_disputes,
    console_moderation,
    console_quarantine,
    console_goods,
    console_today,
    console_quality,
    console_troubles,
    sandbox,
    running,
)


def create(tools: Tools) -> FastAPI:
    """The HTTP face on these tools; whoever made them closes them."""
    app = FastAPI(
        title="Vezde",
        summary="Loyalty that works wherever people buy",
        version=_version(),
        openapi_url="/openapi.json",
        docs_url="/docs",
        redoc_url=None,
        responses=problems.RESPONSES,
    )
    app.state.tools = tools
    problems.install(app)
    app.add_middleware(running.Timed)
    app.add_middleware(limits.BodyLimit)
    app.add_middleware(origins.WidgetCors)
    for module in ROUTERS:
        app.include_router(module.router)
    return app


def _version() -> str:
    try:
        return version("vezde")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0.1.0"

"""The HTTP API at /api/v1: resources as JSON; it parses, calls the desk and renders, and decides nothing."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from soloist import __version__
from soloist.app import App
from soloist.web.api import (
    acts,
    catalogue,
    confidence,
    curating,
    facts,
    giving,
    grants,
    handing,
    holds,
    intents,
    keeping,
    learning,
    lists,
    memories,
    merging,
    packages,
    playbooks,
    problems,
    reconcile,
    records,
    registry,
    rules,
    spending,
    taking,
    talking,
    troubles,
)
from soloist.web.api.strict import StrictRoute

_ABOUT = "Everything of one home for programs. Send a bearer token made with: soloist token create --scope read"


def create(app: App) -> FastAPI:
    """The API of one home as an ASGI application, to be mounted behind the security middleware."""
    api = FastAPI(
        title="Soloist",
        version=__version__,
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        exception_handlers=problems.exception_handlers(),
        responses=problems.RESPONSES,
        generate_unique_id_function=lambda route: route.name,
    )
    api.router.route_class = StrictRoute
    api.state.soloist = app
    api.include_router(curating.many)
    api.include_router(registry.wide)
    api.include_router(giving.wide)
    api.include_router(taking.files)
    for part in (
        acts,
        lists,
        records,
        packages,
        playbooks,
        registry,
        giving,
        catalogue,
        confidence,
        intents,
        handing,
        troubles,
        reconcile,
        grants,
        holds,
        keeping,
        learning,
        memories,
        merging,
        rules,
        spending,
        taking,
        talking,
    ):
        api.include_router(part.router)
    for part in (facts, curating):
        api.include_router(part.router)
    plain = api.openapi

    def openapi() -> dict[str, Any]:
        return problems.described(plain())

    api.openapi = openapi  # type: ignore[method-assign]  # the documented way to extend the schema
    return api

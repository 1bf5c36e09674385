"""Catalogue: what this home can do: connections, operations and rules, as they were configured elsewhere."""

from __future__ import annotations

from typing import Annotated, Any

import fastapi
from fastapi import APIRouter

from soloist.engine.registry import describe
from soloist.insight import actions
from soloist.web.actions_door import Actions
from soloist.web.api import shapes
from soloist.web.api.asking import Reader, TheApp, TheDesk
from soloist.web.api.strict import StrictRoute

router = APIRouter(route_class=StrictRoute)
Query = Annotated[str, fastapi.Query(max_length=200, description="words that all have to be in its facts")]


def _all(items: list[dict[str, Any]]) -> dict[str, Any]:
    """A list that fits on one page."""
    return {"items": items, "next": None}


@router.get("/operations", response_model=shapes.Page[shapes.OperationRow])
async def list_operations(_: Reader, app: TheApp, q: Query = "") -> Any:
    """Every operation there is: what it needs, what it risks, who proposes and decides, how it was used."""
    return _all([actions.as_row(line) for line in actions.fitting(await Actions(app).lines(), q)])


@router.get("/connectors", response_model=shapes.Page[shapes.ConnectorRow])
async def list_connectors(_: Reader, desk: TheDesk) -> Any:
    """Every connection."""
    known = describe(desk.connections)
    return _all([{**link, "operations": [op["name"] for op in link["operations"]]} for link in known])


@router.get("/policies", response_model=shapes.Page[shapes.PolicyRow])
async def list_policies(_: Reader, app: TheApp) -> Any:
    """The rules in force with the version they make; where none holds, nothing leaves without the operator's word."""
    rules = app.judging.rules
    return _all([{**rule.model_dump(), "version": rules.version} for rule in rules.written])

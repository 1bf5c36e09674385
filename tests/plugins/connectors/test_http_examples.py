"""The worked examples of the how-to page do what the page says: every operation, way back and look-up can be made."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from soloist.config import parse
from soloist.engine.connections import connections
from soloist.plugins.connectors.http import CONNECTOR, expressions, requests
from soloist.sdk import Ctx, Receipt

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "connect-any-http-service.md"
BLOCKS = re.findall(r"^```toml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
KEY = "k2f7q0a9example"


def examples() -> dict[str, Any]:
    """Settings of every operation on the page by connector and name."""
    found = {}
    for block in BLOCKS:
        for name, link in connections(parse(tomllib.loads(block))).items():
            for operation in link.settings["operations"] if link.kind == "http" else ():
                found[f"{name}.{operation}"] = link.settings
    return found


EXAMPLES = examples()


SHORTEST = """
[connectors.shop]
kind = "http"
base_url = "https://api.example.com"
allow_private_network = false
[connectors.shop.operations.create_charge]
method = "POST"
path = "/charges"
class = "A"
key_header = "Idempotency-Key"
key_window = "24h"
risk = "financial"
[connectors.shop.operations.put_event]
method = "PUT"
path = "/events/{key}"
headers = { "If-None-Match" = "*" }
class = "B"
find = { method = "GET", path = "/events/{key}", found = "status == 200", absent = "status == 404", lag = "2s" }
undo = { method = "DELETE", path = "/events/{key}" }
"""


def test_the_shortest_declarations_stay_as_they_were() -> None:
    ctx = Ctx("shop", connections(parse(tomllib.loads(SHORTEST)))["shop"].settings)
    charge = CONNECTOR.prepare(ctx, "create_charge", {"amount": 5}, KEY, "2026-11-21T09:30:00Z")
    headers = {"Accept": "application/json", "Content-Type": "application/json", "Idempotency-Key": KEY}
    assert (charge.data["headers"], charge.data["body"], charge.operation.risk) == (
        headers,
        '{"amount":5}',
        "financial",
    )
    event = CONNECTOR.prepare(ctx, "put_event", {"title": "x"}, KEY, "2026-11-21T09:30:00Z")
    assert event.data["url"] == f"https://api.example.com/events/{KEY}"
    assert (event.operation.undo, event.operation.risk, event.operation.lookup_lag) == ("exact", "reversible", 2.0)


def test_the_page_has_its_examples() -> None:
    assert {"pay.create_charge", "calendar.put_event", "notes.add_note", "door.tell", "graph.add"} == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_can_be_prepared_and_taken_back(name: str) -> None:
    connector, _, operation = name.partition(".")
    ctx = Ctx(connector, EXAMPLES[name])
    part = ctx.settings["operations"][operation]
    payload = {f["field"]: "7" for f in requests.contract(part, {}) if f["field"] != "*"}
    plan = CONNECTOR.prepare(ctx, operation, payload, KEY, "2026-11-21T09:30:00Z")
    back = CONNECTOR.undo(ctx, plan, Receipt("ref_1"))
    assert bool(back) is bool(part["undo"])
    assert ("find" in plan.data) is (plan.operation.effect_class == "B")
    if part["find"] and part["find"]["ref"]:
        assert expressions.compiled(part["find"]["ref"], frozenset({"STRING", "INT"}))


def test_the_examples_are_of_the_kinds_the_page_says() -> None:
    facts = {}
    for name, settings in EXAMPLES.items():
        made = CONNECTOR.operations(Ctx(name, settings))[name.partition(".")[2]]
        facts[name] = (made.effect_class, made.risk, made.undo)
    assert facts == {
        "pay.create_charge": ("A", "financial", "offset"),
        "calendar.put_event": ("B", "reversible", "exact"),
        "notes.add_note": ("B", "reversible", "exact"),
        "door.tell": ("C", "irreversible", "none"),
        "graph.add": ("C", "irreversible", "none"),
    }

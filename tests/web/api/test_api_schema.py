"""Every operation of the API against its OpenAPI document with generated input: no fault of ours, no other shape."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.applications import Starlette
from starlette.routing import Mount

from soloist.app import App
from soloist.engine.store import records
from soloist.kernel.access import SCOPES
from soloist.web import api
from soloist.web.security import SecurityMiddleware

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
EXAMPLES = 15
FEW = 10
"""Where there is no body, an input is an address and some parameters, and so many see them all."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The API of a home with something in it, served by a thread of its own: (schema, headers, known ids)."""
    home = tmp_path_factory.mktemp("home")
    (home / "soloist.toml").write_text('[business]\nname = "Studio Linde"\n')
    app = App(home)
    inner = Starlette(routes=[Mount("/api/v1", api.create(app))])
    wall = SecurityMiddleware(inner, app.access, app.settings.server)
    server = uvicorn.Server(uvicorn.Config(wall, log_level="critical"))
    listening = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listening.getsockname()[1]}/api/v1"

    async def serve() -> None:
        await app.start()
        await server.serve([listening])
        await app.stop()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    headers = {"Authorization": f"Bearer {app.access.issue_token('schema', SCOPES, None)}"}
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json", headers=headers)
    yield schema, headers, _something(app, address, headers)
    server.should_exit = True
    thread.join(30)
    app.close()


def _something(app: App, address: str, headers: dict[str, str]) -> dict[str, str]:
    """A person, a waiting proposal with its card, and an approved one whose mail went into the home's own folder."""
    app.store.write_now(lambda tx: records.create(tx, "person", "Ada Okafor", {"name": "Ada"}, ident="ada", why="x"))
    payload = {"to": ["ada@okafor-ceramics.example"], "subject": "Hello", "body": "Hello Ada."}
    mail = {"connector": "mail", "operation": "mail.send", "payload": payload, "reason": "Because"}
    with httpx.Client(base_url=address, headers=headers) as client:
        waiting = client.post("/proposals", json={**mail, "source_ref": "1"}).json()["id"]
        sent = client.post("/proposals", json={**mail, "source_ref": "2"}).json()
        said = {"decision": "approve", "payload_hash": sent["payload_hash"]}
        assert client.post(f"/proposals/{sent['id']}/approval", json=said).status_code == 200
        for _ in range(2000):
            if made := client.get("/effects").json()["items"]:
                break
            time.sleep(0.05)
        card = client.get("/cards").json()["items"][0]["id"]
    effect = made[0]["id"]
    run = f"proposal:{waiting}"
    return {
        "proposals": waiting,
        "cards": card,
        "effects": effect,
        "runs": run,
        "records": "ada",
        "explanations": effect,
    }


def test_every_operation_answers_as_it_says(served: Any) -> None:
    schema, headers, known = served
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 20
    for operation in operations:
        _try_out(operation, headers, known.get(operation.path.split("/")[1], ""))


def _try_out(operation: Any, headers: dict[str, str], known: str) -> None:
    """Some generated requests to one operation, most of them about something that is there."""

    most = EXAMPLES if operation.body else FEW

    @settings(max_examples=most, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(), there=st.booleans())
    def once(case: Any, there: bool) -> None:
        if there and known and "ident" in (case.path_parameters or {}):
            case.path_parameters = {**case.path_parameters, "ident": known}
            if "kind" in case.path_parameters:
                case.path_parameters["kind"] = "person"
        case.call_and_validate(headers=headers, checks=CHECKS)

    once()


def test_requests_that_break_the_document_make_no_fault(served: Any) -> None:
    schema, headers, _known = served
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.method.upper() in ("POST", "PUT") and operation.body:
            _try_wrong(operation, headers)


def _try_wrong(operation: Any, headers: dict[str, str]) -> None:
    """Generated requests that break the declared form somewhere: in a header, a parameter or the body."""

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def once(case: Any) -> None:
        answer = case.call(headers=headers)
        assert answer.status_code < 500, answer.text

    once()

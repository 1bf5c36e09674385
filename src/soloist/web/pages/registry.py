"""Agents and skills: who works here under which contract and version, and what each skill promises."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from soloist.kernel.errors import BadInput, Conflict, SoloistError
from soloist.web.pages.edge import door, who
from soloist.web.render import page

AGENTS, SKILLS = "/agents", "/skills"
LONGEST = 200_000


def routes() -> list[BaseRoute]:
    """The routes of these pages."""
    return [
        Route(AGENTS, agents, name="agents"),
        Route("/telemetry", telemetry, name="telemetry"),
        Route(AGENTS + "/{name}", agent),
        Route(AGENTS + "/{name}/state", switch, methods=["POST"]),
        Route(AGENTS + "/{name}/use", use, methods=["POST"]),
        Route(AGENTS + "/{name}/back", back, methods=["POST"]),
        Route(AGENTS + "/{name}/compare", compare),
        Route(SKILLS, skills, name="skills"),
        Route(SKILLS + "/{name}", skill),
        Route(SKILLS + "/{name}/test", test, methods=["POST"]),
        Route(SKILLS + "/{name}/try", trial, methods=["POST"]),
        Route(SKILLS + "/{name}/compare", compare),
    ]


async def agents(request: Request) -> Response:
    """GET /agents: who works here."""
    view = await door(request).registry.agents()
    return page(request, "agents.html", await door(request).frame(), view=view)


async def telemetry(request: Request) -> Response:
    """GET /telemetry: time, failures, tokens and cost by agent and workflow."""
    view = await door(request).registry.telemetry()
    return page(request, "telemetry.html", await door(request).frame(), view=view)


async def agent(request: Request) -> Response:
    """GET /agents/{name}: the contract, the versions, the newest runs."""
    view = await door(request).registry.agent(request.path_params["name"])
    return page(request, "agent.html", await door(request).frame(), view=view, asked={})


async def switch(request: Request) -> Response:
    """POST /agents/{name}/state: let it work, or pause it."""
    given, name = await request.form(), request.path_params["name"]
    why = str(given.get("why", ""))[:300]
    await door(request).registry.publishing.switch(name, str(given.get("state", "")), who=who(request), why=why)
    return _at(name)


async def use(request: Request) -> Response:
    """POST /agents/{name}/use: put a version in use, or change its pin."""
    given, name = await request.form(), request.path_params["name"]
    pin = {"1": True, "0": False}.get(str(given.get("pin", "")))
    version = str(given.get("version", ""))
    said: dict[str, Any] = {"who": who(request), "why": "chosen in the console", "pin": pin}
    anyway = str(given.get("anyway", "")).strip()[:300]
    try:
        await door(request).registry.publishing.use(name, version, **said, anyway=anyway)
    except Conflict as error:
        if "trial" not in error.extra:
            raise
        view = await door(request).registry.agent(name)
        asked = {"version": version, "said": error.detail, "trial": error.extra["trial"], "missing": "anyway" in given}
        return page(request, "agent.html", await door(request).frame(), status=409, view=view, asked=asked)
    return _at(name)


async def back(request: Request) -> Response:
    """POST /agents/{name}/back: the version before, pinned."""
    name = request.path_params["name"]
    await door(request).registry.publishing.back(name, who=who(request))
    return _at(name)


async def compare(request: Request) -> Response:
    """GET /agents/{name}/compare?old=&new=, and the same of a skill: what differs between two versions."""
    asked, name = request.query_params, request.path_params["name"]
    kind = "agent" if request.url.path.startswith(AGENTS) else "skill"
    view = await door(request).registry.compare(kind, name, asked.get("old", ""), asked.get("new", ""))
    return page(request, "compare.html", await door(request).frame(), view=view, kind=kind)


async def skills(request: Request) -> Response:
    """GET /skills: what can be done with a text or a file."""
    found = door(request).registry
    lines, troubles = await found.skills(), found.troubles()
    return page(request, "skills.html", await door(request).frame(), lines=lines, troubles=troubles)


async def skill(request: Request) -> Response:
    """GET /skills/{name}: what it promises."""
    return await _skill(request)


async def test(request: Request) -> Response:
    """POST /skills/{name}/test: run the examples."""
    results = {result.example: result for result in await door(request).registry.test(request.path_params["name"])}
    return await _skill(request, results=results)


async def trial(request: Request) -> Response:
    """POST /skills/{name}/try: run it on an input of one's own; a file may come with it."""
    given, name = await request.form(max_files=1), request.path_params["name"]
    text = str(given.get("input", ""))
    upload = given.get("file")
    blob = await upload.read() if upload is not None and not isinstance(upload, str) else str(upload or "").encode()
    try:
        answer = await door(request).registry.try_skill(name, _value(text), blob)
    except SoloistError as error:
        return await _skill(request, given=text, fault=error.detail, status=422)
    shown = json.dumps(answer, ensure_ascii=False, indent=2)
    return await _skill(request, given=text, answer=shown)


def _value(text: str) -> dict[str, Any]:
    """An input as it was typed (BadInput)."""
    if len(text) > LONGEST:
        raise BadInput(f"{len(text)} characters are more than the {LONGEST} that can be tried here.")
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        raise BadInput(f"The input is no JSON: {error}. Nothing was run.") from error
    if not isinstance(value, dict):
        raise BadInput('The input is a JSON object, like {"text": "..."}. Nothing was run.')
    return value


async def _skill(request: Request, *, status: int = 200, **more: Any) -> Response:
    """The page of one skill, with what came of a run."""
    view = await door(request).registry.skill(request.path_params["name"])
    filled = {"results": {}, "given": "", "fault": "", "answer": "", **more}
    if not filled["given"] and view.examples:
        filled["given"] = json.dumps(view.examples[0]["input"], ensure_ascii=False, indent=2)
    return page(request, "skill.html", await door(request).frame(), status=status, view=view, **filled)


def _at(name: str) -> Response:
    return RedirectResponse(f"{AGENTS}/{quote(name)}", status_code=303)

"""Policy: what may leave alone and why; rules in plain words from a card; a change is tried on the past first."""

from __future__ import annotations

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from soloist.kernel.errors import BadInput
from soloist.web.pages.edge import door, who
from soloist.web.render import page

HERE = "/policy"


def routes() -> list[BaseRoute]:
    """The routes of these pages."""
    return [
        Route(HERE, show, name="policy"),
        Route(HERE + "/rules", rule, methods=["POST"]),
        Route(HERE + "/rules/out", take_out, methods=["POST"]),
        Route(HERE + "/grants/{ident}/end", revoke, methods=["POST"]),
        Route(HERE + "/of/{ident}", about),
        Route(HERE + "/of/{ident}", say, methods=["POST"]),
    ]


async def show(request: Request) -> Response:
    """GET /policy."""
    return await _page(request)


async def rule(request: Request) -> Response:
    """POST /policy/rules: try a rule on the past (``act`` is "try"), or put it in force."""
    given = _texts(await request.form())
    try:
        trial = await door(request).policies.try_rule(given)
        if given.get("act") == "keep":
            await door(request).policies.add_rule(given, who(request))
            return RedirectResponse(HERE, status_code=303)
    except BadInput as error:
        return await _page(request, given=given, fault=error.detail, status=422)
    return await _page(request, given=given, trial=trial)


async def take_out(request: Request) -> Response:
    """POST /policy/rules/out: take a rule that was made here out."""
    await door(request).policies.remove_rule(_texts(await request.form()).get("name", ""), who(request))
    return RedirectResponse(HERE, status_code=303)


async def revoke(request: Request) -> Response:
    """POST /policy/grants/{ident}/end."""
    await door(request).policies.revoke(request.path_params["ident"], who(request))
    return RedirectResponse(HERE, status_code=303)


async def about(request: Request) -> Response:
    """GET /policy/of/{ident}: what can be said about the proposal of a card."""
    return await _sentences(request)


async def say(request: Request) -> Response:
    """POST /policy/of/{ident}: try a sentence on the past, or put it in force."""
    given = _texts(await request.form())
    name = given.get("sentence", "")
    blanks = {key.removeprefix("blank."): value for key, value in given.items() if key.startswith("blank.")}
    proposal, _ = await door(request).policies.about(request.path_params["ident"])
    try:
        trial = await door(request).policies.try_sentence(proposal, name, blanks)
        if given.get("act") == "keep":
            await door(request).policies.say(proposal, name, blanks, who(request))
            return RedirectResponse(HERE, status_code=303)
    except BadInput as error:
        return await _sentences(request, chosen=name, blanks=blanks, fault=error.detail, status=422)
    return await _sentences(request, chosen=name, blanks=blanks, trial=trial)


async def _page(request: Request, *, status: int = 200, **more: object) -> Response:
    view = await door(request).policies.page()
    context = {"given": {}, "trial": None, "fault": "", **more}
    return page(request, "policy.html", await door(request).frame(), status=status, view=view, **context)


async def _sentences(request: Request, *, status: int = 200, **more: object) -> Response:
    ident = request.path_params["ident"]
    proposal, found = await door(request).policies.about(ident)
    context = {"chosen": "", "blanks": {}, "trial": None, "fault": "", **more}
    frame = await door(request).frame()
    return page(
        request, "sentences.html", frame, status=status, ident=ident, proposal=proposal, sentences=found, **context
    )


def _texts(form: FormData) -> dict[str, str]:
    return {name: value.strip() for name, value in form.items() if isinstance(value, str)}

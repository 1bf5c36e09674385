"""The console's pages: one page is one question to the Door and one template."""

from __future__ import annotations

from starlette.routing import BaseRoute, Mount, Route

from soloist.web.pages import (
    actions,
    activity,
    alone,
    attention,
    clients,
    delegate,
    failures,
    holds,
    importing,
    inbox,
    live,
    mailboxes,
    merging,
    memory,
    oneclick,
    policy,
    reconcile,
    records,
    review,
    runs,
    safety,
    search,
    settings,
    takeover,
    together,
)
from soloist.web.pages.shell import Kept
from soloist.web.render import STATIC


def routes() -> list[BaseRoute]:
    """Every route of the console but sign-in, forms and the API, in the order they are matched."""
    return [
        Route("/", inbox.show, name="inbox"),
        Route("/cards/{card}", inbox.card, name="card"),
        Route("/cards/{card}/decision", inbox.decide, methods=["POST"]),
        Route("/cards/{card}/undo", inbox.undo, methods=["POST"]),
        Route("/seen", inbox.seen, methods=["POST"]),
        Route("/live", live.stream),
        Route("/looked", live.looked, methods=["POST"]),
        Route("/activity", activity.show, name="activity"),
        *merging.routes(),
        *records.routes(),
        *clients.routes(),
        *actions.routes(),
        *attention.routes(),
        *together.routes(),
        *holds.routes(),
        *alone.routes(),
        *review.routes(),
        *failures.routes(),
        *policy.routes(),
        *reconcile.routes(),
        *safety.routes(),
        *memory.routes(),
        Route("/search", search.show, name="search"),
        Route("/runs", runs.index, name="runs"),
        Route("/runs/{ident}", runs.show),
        Route("/why/{ident}", activity.why),
        Route("/why/{ident}/undo", activity.take_back, methods=["POST"]),
        Route("/sessions/{ident}/end", settings.end, methods=["POST"]),
        Route("/tokens/{ident}/end", settings.end, methods=["POST"]),
        Route("/settings", settings.show, name="settings"),
        Route("/settings/forms/{name}", settings.form),
        *mailboxes.routes(),
        *oneclick.routes(),
        *delegate.routes(),
        *takeover.routes(),
        *importing.routes(),
        Route("/stop", settings.stop, methods=["POST"]),
        Mount("/static", Kept(directory=STATIC), name="static"),
    ]

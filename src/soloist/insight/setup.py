"""What is set and who has access, for the settings page; secrets are never among it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from soloist.config import Rule, Settings
from soloist.engine.store import reading, settings
from soloist.engine.store.clock import later
from soloist.engine.store.reading import Connection
from soloist.insight import sheets, views, words
from soloist.kernel.access import SESSION_IDLE

DEFAULT_RULE = views.RuleLine("everything else", "no rule holds", "ask", "built in, cannot be removed")


def page(
    conn: Connection,
    config: Settings,
    *,
    now: str,
    home: str,
    session: str,
    connectors: Iterable[Mapping[str, Any]],
    rules: Sequence[Rule] = (),
) -> views.SettingsPage:
    """Settings, access, rules in force and connectors as the registry describes them; ``session`` is the one asking."""
    return views.SettingsPage(
        facts=_facts(config),
        stopped=settings.value(conn, settings.STOP),
        sessions=tuple(_session(row, session) for row in reading.open_sessions(conn, later(now, -SESSION_IDLE))),
        tokens=tuple(_token(row) for row in reading.live_tokens(conn, now)),
        rules=(*_rules(rules), DEFAULT_RULE),
        connectors=tuple(_connector(row) for row in connectors),
        forms=tuple(_form(config, name) for name in config.forms),
        home=home,
    )


def _facts(config: Settings) -> tuple[views.FieldLine, ...]:
    business, wanted = config.business, config.qualification
    lines = [
        ("Name", business.name),
        ("Owner", business.owner),
        ("Mail address", business.email),
        ("Time zone", business.timezone),
        ("Currency", business.currency),
        ("Services", sheets.wanted(", ".join(wanted.services))),
        ("Smallest budget", wanted.minimum_budget),
        ("Regions", ", ".join(wanted.regions)),
        ("Earliest start", wanted.earliest_start),
        ("House book", config.intake.house_book),
        ("Hold before a mail leaves", config.mail.hold),
        ("Answer within", config.intake.reply_within),
        ("Remind after", config.intake.follow_up_after),
    ]
    return tuple(views.FieldLine(label, value) for label, value in lines if value)


def _rules(rules: Sequence[Rule]) -> list[views.RuleLine]:
    """The operator's rules; one that allows says for how long it can be taken back."""
    found = []
    for rule in rules:
        window = f", {rule.window} to take it back" if rule.then == "allow" and rule.mode == "revert" else ""
        found.append(views.RuleLine(rule.name, rule.when, rule.then + window))
    return found


def _connector(row: Mapping[str, Any]) -> views.ConnectorLine:
    """A connector by what it may do outside."""
    return views.ConnectorLine(
        row["connector"], row["kind"], "set up", "", "", tuple(map(_operation, row["operations"]))
    )


def _operation(op: Mapping[str, Any]) -> str:
    held = f", held {words.lasted(op['hold'])}" if op["hold"] else ""
    return f"{op['name']} (class {op['class']}, {op['risk']}{held})"


def _form(config: Settings, name: str) -> views.FormLine:
    """A form with the snippet that puts it on a site."""
    scheme = "https" if config.server.public_host else "http"
    host = config.server.public_host or "localhost:8787"
    url = f"{scheme}://{host}/f/{name}"
    snippet = f'<iframe src="{url}" title="{config.forms[name].title}" width="100%" height="640"></iframe>'
    return views.FormLine(name, config.forms[name].title, f"/f/{name}", snippet)


def _session(row: Mapping[str, Any], mine: str) -> views.AccessLine:
    return views.AccessLine(row["id"], _browser(row["agent"]), "last used", row["used"], row["id"] == mine)


def _token(row: Mapping[str, Any]) -> views.AccessLine:
    scopes = ", ".join(row["scopes"] or [])
    return views.AccessLine(row["name"], row["name"], f"may {scopes}; made", row["created"])


def _browser(agent: str) -> str:
    """A browser and its system from the words it sends about itself."""
    browsers = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
    systems = (
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("Mac OS", "macOS"),
        ("Windows", "Windows"),
        ("Linux", "Linux"),
    )
    browser = next((name for sign, name in browsers if sign in agent), "A browser")
    system = next((name for sign, name in systems if sign in agent), "")
    return f"{browser} on {system}" if system else browser

"""The look-up of a write: two CEL expressions over the answer; what neither proves is "cannot tell"."""

from __future__ import annotations

from typing import Any

from soloist.plugins.connectors.http import expressions
from soloist.plugins.connectors.http.answers import excerpt, parse_json
from soloist.sdk import Absent, CannotTell, Found, HttpAnswer, Lookup, Receipt

compiled = expressions.compiled
_PAGES = frozenset({"text/html", "application/xhtml+xml"})
"""What a sign-in page or a proxy answers with where a service was asked."""


def judge(answer: HttpAnswer, found: str, absent: str, *, key: str, ref: str = "", own: str = "") -> Lookup:
    """Found or Absent when exactly one expression holds. A failing server proves nothing, whatever they say.

    ``ref`` is an expression that gives the provider's id; without it the id stands at the place ``own``.
    """
    status = answer.status
    if status in {401, 403, 408, 425, 429} or status >= 500 or 300 <= status < 400:
        return CannotTell(f"the look-up was answered with {status}, which proves nothing")
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    page = kind in _PAGES or (answer.body.lstrip()[:1] == b"<" and kind in ("", "text/plain"))
    try:
        body, unread = parse_json(answer.body) if answer.body.strip() else None, False
    except ValueError:
        body, unread = None, kind in ("", "application/json") or kind.endswith("+json")
    if status < 300 and (page or unread):
        return CannotTell(f"the look-up answered {status} with a page or half an answer, which proves nothing")
    facts = expressions.facts(answer, body, key)
    is_found, is_absent = expressions.holds(found, facts), expressions.holds(absent, facts)
    if is_found and not is_absent:
        return Found(Receipt(_reference(facts, body, ref, own) or key, excerpt(answer)))
    if is_absent and not is_found:
        return Absent(f"the look-up answered {status}")
    return CannotTell(f"the look-up answered {status}, which proves neither presence nor absence")


def _reference(facts: dict[str, Any], body: Any, ref: str, own: str) -> str:
    """The provider's id of what was found, "" when it does not show."""
    if ref:
        return expressions.text(ref, facts)
    value = expressions.place(body, own or "id")
    return str(value)[:200] if isinstance(value, str | int) and not isinstance(value, bool) else ""

"""Reading over HTTP: one GET that follows redirects within the rules, and lists by pages; it writes nothing."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from soloist.plugins.connectors.http import expressions
from soloist.plugins.connectors.http.answers import excerpt, parse_json, wait
from soloist.sdk import HttpAnswer, MaybeSent, NotSent, Thing, Trouble
from soloist.sdk.connector import Fault

MOST_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NEXT = re.compile(r'<([^<>]*)>\s*((?:;\s*[\w*-]+\s*=\s*(?:"[^"]*"|[^\s;,"]+)\s*)*)')

Send = Callable[[Mapping[str, Any]], Awaitable[HttpAnswer]]
"""Sends one request as it is (NotSent, MaybeSent)."""


async def follow(send: Send, request: Mapping[str, Any]) -> HttpAnswer:
    """The answer at the end of at most three redirects, each under the same rules (NotSent, MaybeSent).

    Another host is not shown our sign-in.
    """
    for _ in range(MOST_REDIRECTS + 1):
        answer = await send(request)
        target = answer.headers.get("location", "")
        if answer.status not in _REDIRECTS or not target:
            return answer
        address = urllib.parse.urljoin(request["url"], target)
        if _host(address) != _host(request["url"]):
            plain = {name: text for name, text in request["headers"].items() if "{secret." not in text}
            request = {**request, "headers": plain, "auth": None}
        request = {**request, "url": address}
    raise NotSent(f"The service sent us on more than {MOST_REDIRECTS} times; it was not followed further.")


def _host(address: str) -> tuple[str, str]:
    parts = urllib.parse.urlsplit(address)
    return parts.scheme, parts.netloc.lower()


async def things(send: Send, request: Mapping[str, Any], part: Mapping[str, Any]) -> AsyncIterator[Thing]:
    """Every item of a declared list, page by page (Trouble); a list that cannot be read to its end is a Trouble too."""
    base, seen = request["url"], {request["url"]}
    for number in range(1, part["pages"] + 1):
        answer, body = await _page(send, request)
        items = expressions.place(body, part["items"]) if part["items"] else body
        if not isinstance(items, list):
            raise Trouble("protocol_drift", f"The list is not where it should be ({part['items'] or 'the answer'}).")
        for item in items:
            yield thing(item, part)
        address = _following(part, base, request["url"], answer, body=body, items=items, number=number)
        if not address:
            return
        if address in seen:
            raise Trouble("protocol_drift", "The list names the same page as its next one.")
        seen.add(address)
        request = {**request, "url": address}
    raise Trouble("protocol_drift", f"The list goes on after {part['pages']} pages; nothing is concluded from it.")


async def _page(send: Send, request: Mapping[str, Any]) -> tuple[HttpAnswer, Any]:
    """One page and its JSON value (Trouble)."""
    try:
        answer = await follow(send, request)
    except (NotSent, MaybeSent) as error:
        raise Trouble("unavailable", str(error)) from error
    if answer.status != 200:
        pause = wait(answer.headers) if answer.status in (429, 503) else None
        raise Trouble(fault(answer.status), f"The list was answered with {excerpt(answer)[:200]}", retry_after=pause)
    try:
        return answer, parse_json(answer.body)
    except ValueError as error:
        raise Trouble("protocol_drift", f"The list is not JSON: {excerpt(answer)[:200]}") from error


def fault(status: int) -> Fault:
    """What a status means when nothing but reading was asked for."""
    known: dict[int, Fault] = {401: "auth", 403: "forbidden", 404: "not_found", 410: "not_found", 429: "rate_limited"}
    known |= {409: "conflict", 412: "conflict", 400: "invalid", 422: "invalid", 402: "rejected"}
    return known.get(status, "unavailable" if status >= 500 or status in (408, 425) else "protocol_drift")


def _following(
    part: Mapping[str, Any], base: str, here: str, answer: HttpAnswer, *, body: Any, items: list[Any], number: int
) -> str:
    """The address of the next page, "" at the end."""
    if not part["next"] or (part["more"] and expressions.place(body, part["more"]) is not True):
        return ""
    if part["next"] == "header.link":
        found = next((a for a, rest in _NEXT.findall(answer.headers.get("link", "")) if _is_next(rest)), "")
        return urllib.parse.urljoin(here, found) if found else ""
    if part["next"] == "number":
        return with_parameter(base, part["cursor"] or "page", str(number + 1)) if items else ""
    source, where = (items[-1] if items else None, part["next"].removeprefix("last."))
    value = expressions.place(source if part["next"].startswith("last.") else body, where)
    if value in (None, "", False):
        return ""
    return (
        with_parameter(base, part["cursor"], str(value)) if part["cursor"] else urllib.parse.urljoin(here, str(value))
    )


def _is_next(rest: str) -> bool:
    """Whether the parameters of a link say rel=next."""
    return bool(re.search(r';\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next\b)', rest, re.IGNORECASE))


def with_parameter(address: str, name: str, value: str) -> str:
    """The address with a query parameter added."""
    joint = "&" if "?" in address else "?"
    return f"{address}{joint}{urllib.parse.quote(name, safe='')}={urllib.parse.quote(value, safe='')}"


def thing(item: Any, part: Mapping[str, Any]) -> Thing:
    """One item as a plain thing (Trouble when it has no id)."""
    ref = expressions.place(item, part["id"])
    if isinstance(ref, bool) or not isinstance(ref, str | int) or ref == "":
        raise Trouble("protocol_drift", f"An item of the list has no id ({part['id']}).")
    return Thing(
        ref=str(ref)[:200],
        key=_plain(expressions.place(item, part["key"])) if part["key"] else "",
        title=_plain(expressions.place(item, part["title"])) if part["title"] else "",
        fields={name: expressions.place(item, where) for name, where in part["fields"].items()},
        at=_instant(expressions.place(item, part["at"])) if part["at"] else "",
    )


def _plain(value: Any) -> str:
    return str(value)[:300] if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _instant(value: Any) -> str:
    """An ISO instant in UTC from ISO text or Unix seconds, "" from anything else."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            found = datetime.fromtimestamp(value, UTC)
        else:
            found = datetime.fromisoformat(value)
    except (TypeError, ValueError, OverflowError, OSError):
        return ""
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return found.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

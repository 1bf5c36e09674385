"""What an HTTP answer to a write means: only a clear answer is done, only a declared one refused, the rest unknown."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from soloist.plugins.connectors.http import expressions
from soloist.sdk import Done, HttpAnswer, Outcome, Receipt, Refused, Unknown

REFUSED = frozenset({400, 402, 404, 405, 409, 410, 411, 412, 413, 414, 415, 422, 428, 431})
"""Statuses a server gives before it does anything."""
WAIT = 30.0
LONGEST_WAIT = 86_400.0
"""Seconds to wait after a 429 that does not say how long, and the longest we believe."""


@dataclass(frozen=True)
class Terms:
    """What the operator declared about the answers of an operation; everything may be empty.

    ``done`` and ``refused`` are expressions. ``ref`` is the place of the provider's id: dotted in the body,
    ``header.NAME``, or ``location`` for the last part of the Location header.
    """

    done: str = ""
    refused: str = ""
    ref: str = ""


def judge(answer: HttpAnswer, *, key: str, effect_class: str, terms: Terms | None = None) -> Outcome:
    """The outcome of a write. ``effect_class`` matters for 409 and 412.

    Class A: a 409 may mean that our first attempt under the same key is still being worked on. Class B: a 409 or 412
    may mean that the thing is already there under our key. Both are for the core to clear up, so they are unknown:
    saying "refused" of something that happened would be worse than asking once more.
    """
    terms = terms or Terms()
    return _declared(answer, key, terms) or _by_status(answer, key, effect_class, terms)


def _declared(answer: HttpAnswer, key: str, terms: Terms) -> Outcome | None:
    """What the declared expressions say; None leaves it to the status. Only an answer that can be read is done."""
    if not (terms.done or terms.refused):
        return None
    unread, body = _read(answer)
    known, evidence = expressions.facts(answer, body, key), excerpt(answer)
    if terms.refused and expressions.holds(terms.refused, known):
        return Refused("The service refused the request and did nothing.", evidence=evidence)
    if not terms.done or unread or not (200 <= answer.status < 300 or 400 <= answer.status < 500):
        return None
    if expressions.holds(terms.done, known):
        return _receipt(answer, body, key, terms)
    if answer.status < 300:
        return Unknown(f"The service answered {answer.status}, but not what shows that it is done.", evidence)
    return None


def _by_status(answer: HttpAnswer, key: str, effect_class: str, terms: Terms) -> Outcome:
    status, evidence = answer.status, excerpt(answer)
    if 200 <= status < 300:
        unread, body = _read(answer)
        return Unknown(unread, evidence) if unread else _receipt(answer, body, key, terms)
    if status in {401, 403}:
        return Refused(f"The service refused our sign-in ({status}).", auth=True, evidence=evidence)
    if status == 429:
        pause = wait(answer.headers)
        return Refused("The service asks us to slow down (429).", pause, evidence=evidence, limited=True)
    if status == 409 and effect_class == "A":
        return Unknown("The service says our key is in use or conflicts (409).", evidence)
    if status in {409, 412} and effect_class == "B":
        return Unknown(f"It may be already there under our key ({status}).", evidence)
    if status in REFUSED:
        return Refused(f"The service refused the request ({status}) and did nothing.", evidence=evidence)
    return Unknown(f"The service answered {status}, which does not say whether it was done.", evidence)


def _read(answer: HttpAnswer) -> tuple[str, Any]:
    """Why the answer cannot be taken for one, "" when it can, and its JSON value (None for none)."""
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not answer.body.strip():
        framed = (
            answer.status in {204, 205} or "content-length" in answer.headers or "transfer-encoding" in answer.headers
        )
        return "" if framed else f"The answer ({answer.status}) may have been cut off before its body.", None
    if kind == "text/plain" and not answer.body.lstrip().startswith(b"<"):
        return "", None
    if kind and kind != "application/json" and not kind.endswith("+json"):
        return f"The service answered {answer.status} with {kind} instead of JSON.", None
    try:
        return "", parse_json(answer.body)
    except ValueError:
        return f"The service answered {answer.status}, but its JSON cannot be read.", None


def _receipt(answer: HttpAnswer, body: Any, key: str, terms: Terms) -> Outcome:
    """Done with the provider's id; an answer without the id that was declared is not the one we know."""
    found = reference(body, answer.headers, terms.ref)
    if terms.ref and not found:
        return Unknown(f"The service answered {answer.status}, but without its id ({terms.ref}).", excerpt(answer))
    return Done(Receipt(found or key, excerpt(answer) if answer.body.strip() else f"{answer.status}"))


def reference(body: Any, headers: Mapping[str, str], ref: str = "") -> str:
    """The provider's own id at its declared place; undeclared it is ``id`` in the body, else Location."""
    if ref == "location":
        return headers.get("location", "").partition("?")[0].rstrip("/").rpartition("/")[2][:200]
    if ref.startswith("header."):
        return headers.get(ref.removeprefix("header.").lower(), "")[:200]
    found = expressions.place(body, ref or "id")
    if isinstance(found, str | int) and not isinstance(found, bool) and str(found):
        return str(found)[:200]
    return "" if ref else headers.get("location", "")[:200]


def parse_json(body: bytes) -> Any:
    """A JSON value; ValueError for anything else, nesting bombs and NaN included."""
    try:
        return json.loads(body, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def wait(headers: Mapping[str, str]) -> float:
    """Seconds that Retry-After asks for, given as seconds or as a date measured against the server's own clock."""
    text = headers.get("retry-after", "").strip()
    if text.isdigit():
        return min(float(text[:9]), LONGEST_WAIT)
    until = _instant(text)
    if until is None:
        return WAIT
    now = _instant(headers.get("date", "")) or time.time()
    return min(max(until - now, 1.0), LONGEST_WAIT)


def _instant(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def excerpt(answer: HttpAnswer) -> str:
    """Status, where it would send us, and the first 300 characters of the answer, printable."""
    text = answer.body[:1200].decode("utf-8", "replace")[:300]
    to = f"to {answer.headers.get('location', '')[:200]} " if 300 <= answer.status < 400 else ""
    return f"{answer.status} {to}" + "".join(c if c.isprintable() else " " for c in text).strip()


def without(text: str, secrets: Iterable[str]) -> str:
    """The text with each used secret masked (a server may echo our headers)."""
    for secret in sorted((s for s in secrets if s), key=len, reverse=True):
        text = text.replace(secret, "[secret]")
    return text

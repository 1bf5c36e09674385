"""What an HTTP answer to a write means: only a clear answer is done, only a declared one refused, the rest unknown."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from soloist.sdk import Done, HttpAnswer, Outcome, Receipt, Refused, Unknown

REFUSED = frozenset({400, 402, 404, 405, 409, 410, 411, 412, 413, 414, 415, 422, 428, 431})
"""Statuses a server gives before it does anything."""
WAIT = 30.0
LONGEST_WAIT = 86_400.0
"""Seconds to wait after a 429 that does not say how long, and the longest we believe."""


def judge(answer: HttpAnswer, *, key: str, effect_class: str) -> Outcome:
    """The outcome of a write. ``effect_class`` matters for 409 and 412.

    Class A: a 409 may mean that our first attempt under the same key is still being worked on. Class B: a 409 or 412
    may mean that the thing is already there under our key. Both are for the core to clear up, so they are unknown:
    saying "refused" of something that happened would be worse than asking once more.
    """
    status, evidence = answer.status, excerpt(answer)
    if 200 <= status < 300:
        return _success(answer, key, evidence)
    if status in {401, 403}:
        return Refused(f"The service refused our sign-in ({status}).", auth=True, evidence=evidence)
    if status == 429:
        return Refused("The service asks us to slow down (429).", retry_after=wait(answer.headers), evidence=evidence)
    if status == 409 and effect_class == "A":
        return Unknown("The service says our key is in use or conflicts (409).", evidence)
    if status in {409, 412} and effect_class == "B":
        return Unknown(f"It may be already there under our key ({status}).", evidence)
    if status in REFUSED:
        return Refused(f"The service refused the request ({status}) and did nothing.", evidence=evidence)
    return Unknown(f"The service answered {status}, which does not say whether it was done.", evidence)


def _success(answer: HttpAnswer, key: str, evidence: str) -> Outcome:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not answer.body.strip():
        framed = (
            answer.status in {204, 205} or "content-length" in answer.headers or "transfer-encoding" in answer.headers
        )
        if framed:
            return Done(Receipt(_reference(None, answer.headers, key), f"{answer.status}"))
        return Unknown(f"The answer ({answer.status}) may have been cut off before its body.", evidence)
    if kind == "text/plain" and not answer.body.lstrip().startswith(b"<"):
        return Done(Receipt(_reference(None, answer.headers, key), evidence))
    if kind and kind != "application/json" and not kind.endswith("+json"):
        return Unknown(f"The service answered {answer.status} with {kind} instead of JSON.", evidence)
    try:
        value = parse_json(answer.body)
    except ValueError:
        return Unknown(f"The service answered {answer.status}, but its JSON cannot be read.", evidence)
    return Done(Receipt(_reference(value, answer.headers, key), evidence))


def _reference(value: Any, headers: Mapping[str, str], key: str) -> str:
    """The provider's own id: ``id`` in the body, else Location, else our key."""
    found = value.get("id") if isinstance(value, Mapping) else None
    if isinstance(found, str | int) and not isinstance(found, bool) and str(found):
        return str(found)[:200]
    return headers.get("location", "")[:200] or key


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
    """Status and the first 300 characters of the answer, printable."""
    text = answer.body[:1200].decode("utf-8", "replace")[:300]
    return f"{answer.status} " + "".join(c if c.isprintable() else " " for c in text).strip()


def without(text: str, secrets: Iterable[str]) -> str:
    """The text with each used secret masked (a server may echo our headers)."""
    for secret in sorted((s for s in secrets if s), key=len, reverse=True):
        text = text.replace(secret, "[secret]")
    return text

"""Rendering of one HTTP request from templates, payload and key; pure, and blind to secrets."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from soloist.kernel.hashing import canonical, sha256

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_SECRET = re.compile(r"secret\.[A-Za-z0-9_.-]{1,100}\Z")
_PRINTABLE = re.compile(r"[\x20-\x7e]*\Z")


@dataclass(frozen=True)
class Values:
    """What placeholders may stand for: our key, fields of the payload, the provider's id (only when undoing)."""

    key: str
    payload: Mapping[str, Any]
    ref: str | None = None

    def __getitem__(self, name: str) -> str:
        """The text of one placeholder; ValueError names it when there is nothing to put there."""
        if name == "key":
            return self.key
        if name == "ref" and self.ref is not None:
            return self.ref
        if not name.startswith("payload."):
            raise ValueError(f"{name}: not a known placeholder; use {{key}}, {{payload.field}} or {{secret.NAME}}")
        value: Any = self.payload
        for part in name.split(".")[1:]:
            if not isinstance(value, Mapping) or part not in value:
                raise ValueError(f"{name}: the payload has no such field, and the request needs it")
            value = value[part]
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise ValueError(f"{name}: a text or a whole number is needed there")
        if value == "":
            raise ValueError(f"{name}: is empty, and the request needs it")
        return str(value)

    def number(self, name: str) -> str | int:
        """The value as it stands in the payload: a body that is one placeholder keeps a number a number."""
        value: Any = self.payload
        for part in name.split(".")[1:]:
            value = value[part]
        return value if isinstance(value, int) else str(value)


def url(base: str, path: str, values: Values) -> str:
    """``base`` and the rendered path; a value can neither add a slash nor climb out of its segment."""
    if not path.startswith("/"):
        raise ValueError(f"path: begin it with a slash, not {path[:60]!r}")
    rendered = _PLACEHOLDER.sub(lambda m: _quoted(values, m[1]), path)
    for segment in re.split(r"[/\\]", rendered.partition("?")[0]):
        if urllib.parse.unquote(segment) in {".", ".."}:
            raise ValueError(f"path: {rendered[:100]!r} would leave its place")
    return base.rstrip("/") + rendered


def _quoted(values: Values, name: str) -> str:
    if name.startswith("secret."):
        raise ValueError(f"{name}: secrets belong in headers, never in a path")
    try:
        return urllib.parse.quote(values[name], safe="")
    except UnicodeEncodeError as error:
        raise ValueError(f"{name}: contains half a character (a lone surrogate)") from error


def headers(templates: Mapping[str, str], values: Values) -> dict[str, str]:
    """Rendered headers, sorted by name; ``{secret.NAME}`` stays as it is until the request is sent."""
    found = {}
    for name in sorted(templates, key=str.lower):
        text = _PLACEHOLDER.sub(lambda m: m[0] if _SECRET.match(m[1]) else values[m[1]], templates[name])
        if not _PRINTABLE.match(text):
            raise ValueError(f"headers.{name}: a line break or a non-ASCII character cannot stand in a header")
        found[name] = text
    return found


def json_text(template: Any, values: Values) -> str:
    """A declared JSON body with its placeholders filled, as canonical text."""
    return canonical(_filled(template, values)).decode()


def _filled(template: Any, values: Values) -> Any:
    if isinstance(template, str):
        whole = re.fullmatch(r"\{(payload\.[^{}]*)\}", template)
        if whole and values[whole[1]].isdigit():
            return values.number(whole[1])
        return _PLACEHOLDER.sub(lambda m: values[m[1]], template)
    if isinstance(template, Mapping):
        return {name: _filled(inner, values) for name, inner in template.items()}
    if isinstance(template, list):
        return [_filled(inner, values) for inner in template]
    return template


def request_bytes(data: Mapping[str, Any]) -> bytes:
    """What is hashed before sending: method, URL, headers and the hash of the body, in canonical JSON."""
    body = data["body"]
    return canonical(
        {
            "method": data["method"],
            "url": data["url"],
            "headers": dict(data["headers"]),
            "body_sha256": "" if body is None else sha256(body.encode()),
        }
    )


def with_secrets(templates: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, str]:
    """The headers as they leave; KeyError names a secret that was not granted."""
    return {
        name: _PLACEHOLDER.sub(lambda m: secrets[m[1].removeprefix("secret.")] if _SECRET.match(m[1]) else m[0], text)
        for name, text in templates.items()
    }

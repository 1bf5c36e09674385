"""Rendering of one HTTP request from templates, payload and key; pure, and blind to secrets."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from soloist.kernel.hashing import canonical, sha256

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_WHOLE = re.compile(r"\{(payload\.[^{}]*)\}\Z")
_IN_BODY = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.-]*\??)\}")
"""In a body only what is written without spaces: the braces of a query language stand with spaces inside them."""
_SECRET = re.compile(r"secret\.[A-Za-z0-9_.-]{1,100}\Z")
_PRINTABLE = re.compile(r"[\x20-\x7e]*\Z")
_ADDRESS = re.compile(r"(https?://[^/?#{}\\@\s]+)(/.*)?\Z", re.DOTALL)
_NONE = object()
"""What a left-out optional field stands for; the place it would have filled is left out too."""


@dataclass(frozen=True)
class Values:
    """What placeholders may stand for: our key, fields of the payload; when undoing also the provider's id.

    ``{payload.field?}`` is an optional field: where it is all there is, its place is left out.
    """

    key: str
    payload: Mapping[str, Any]
    ref: str | None = None
    undo_key: str | None = None

    def __getitem__(self, name: str) -> str:
        """The text of one placeholder; ValueError names it when there is nothing to put there."""
        own = {"key": self.key, "ref": self.ref, "undo_key": self.undo_key}.get(name)
        if own is not None:
            return own
        value = self.value(name)
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise ValueError(f"{name}: a text or a whole number is needed there")
        if value == "":
            raise ValueError(f"{name}: is empty, and the request needs it")
        return str(value)

    def value(self, name: str) -> Any:
        """The JSON value of a payload field; ValueError when there is none."""
        if not name.startswith("payload."):
            raise ValueError(f"{name}: not a known placeholder; use {{key}}, {{payload.field}} or {{secret.NAME}}")
        value: Any = self.payload
        for part in name.removesuffix("?").split(".")[1:]:
            if not isinstance(value, Mapping) or part not in value:
                if name.endswith("?"):
                    return _NONE
                raise ValueError(f"{name}: the payload has no such field, and the request needs it")
            value = value[part]
        return _NONE if value is None and name.endswith("?") else value

    def leaves_out(self, template: str) -> bool:
        """Whether the template is nothing but an optional field that is not there."""
        whole = _WHOLE.match(template)
        return bool(whole and whole[1].endswith("?") and self.value(whole[1]) in (_NONE, ""))


def url(base: str, path: str, values: Values, query: Mapping[str, str] | None = None) -> str:
    """``base`` and the rendered path; a value can neither add a slash nor a parameter nor climb out of its segment.

    A path that is a whole address keeps its own host, which no placeholder can be part of.
    """
    if whole := _ADDRESS.match(path):
        base, path = whole[1], whole[2] or "/"
    if not path.startswith("/"):
        raise ValueError(f"path: begin it with a slash, not {path[:60]!r}")
    rendered = _PLACEHOLDER.sub(lambda m: _quoted(values, m[1]), path)
    for segment in re.split(r"[/\\]", rendered.partition("?")[0]):
        if urllib.parse.unquote(segment) in {".", ".."}:
            raise ValueError(f"path: {rendered[:100]!r} would leave its place")
    pairs = [
        f"{urllib.parse.quote(name, safe='')}={_PLACEHOLDER.sub(lambda m: _quoted(values, m[1]), text)}"
        for name, text in (query or {}).items()
        if not values.leaves_out(text)
    ]
    joint = "&" if "?" in rendered else "?"
    return base.rstrip("/") + rendered + (joint + "&".join(pairs) if pairs else "")


def page(template: str, values: Values) -> str:
    """The provider's page for a person; ``{ref}`` stays until it is known. "" when the payload has no such field."""
    try:
        return _PLACEHOLDER.sub(lambda m: m[0] if m[1] == "ref" else _quoted(values, m[1]), template)
    except ValueError:
        return ""


def _quoted(values: Values, name: str) -> str:
    if name.startswith("secret."):
        raise ValueError(f"{name}: secrets belong in headers, never in a path")
    try:
        return urllib.parse.quote(values[name], safe="")
    except UnicodeEncodeError as error:
        raise ValueError(f"{name}: contains half a character (a lone surrogate)") from error


def headers(templates: Mapping[str, str], values: Values) -> dict[str, str]:
    """Rendered headers, sorted by name; ``{secret.NAME}`` stays as it is until the request is sent."""
    return {
        name: _header(name, templates[name], values)
        for name in sorted(templates, key=str.lower)
        if not values.leaves_out(templates[name])
    }


def _header(name: str, template: str, values: Values) -> str:
    """One header. A value that looks like the name of a secret is refused: it would be filled in when sending."""

    def filled(match: re.Match[str]) -> str:
        if _SECRET.match(match[1]):
            return match[0]
        value = values[match[1]]
        if "{" in value or "}" in value:
            raise ValueError(f"headers.{name}: a brace cannot stand in a header")
        return value

    text = _PLACEHOLDER.sub(filled, template)
    if not _PRINTABLE.match(text):
        raise ValueError(f"headers.{name}: a line break or a non-ASCII character cannot stand in a header")
    return text


def filled(template: Any, values: Values) -> Any:
    """A declared body with its placeholders filled; one that is all of a text keeps the type it has in the payload."""
    if isinstance(template, str):
        whole = _WHOLE.match(template)
        return values.value(whole[1]) if whole else _IN_BODY.sub(lambda m: _inner(values, m[1]), template)
    if isinstance(template, Mapping):
        inner = {name: filled(value, values) for name, value in template.items()}
        return {name: value for name, value in inner.items() if value is not _NONE}
    if isinstance(template, list):
        return [value for value in (filled(inner, values) for inner in template) if value is not _NONE]
    return template


def _inner(values: Values, name: str) -> str:
    if name.startswith("secret."):
        raise ValueError(f"{name}: secrets belong in headers, never in a body")
    return values[name]


def json_text(value: Any) -> str:
    """A JSON body as canonical text."""
    return canonical(value).decode()


def form_text(value: Mapping[str, Any]) -> str:
    """A form body: what is nested is written ``a[b]=c`` and ``a[0]=c``, in the order of the names."""
    pairs = _pairs(value, "")
    try:
        return "&".join(f"{urllib.parse.quote_plus(n)}={urllib.parse.quote_plus(text)}" for n, text in pairs)
    except UnicodeEncodeError as error:
        raise ValueError("body: contains half a character (a lone surrogate)") from error


def _pairs(value: Any, name: str) -> list[tuple[str, str]]:
    """Name and text of every field below a value."""
    if isinstance(value, Mapping) and (value or not name):
        parts = ((_field(key, name), value[key]) for key in sorted(value))
        return [pair for inner, part in parts for pair in _pairs(part, inner)]
    if isinstance(value, list) and value:
        return [pair for place, part in enumerate(value) for pair in _pairs(part, f"{name}[{place}]")]
    if isinstance(value, bool):
        return [(name, "true" if value else "false")]
    if isinstance(value, str | int | float):
        return [(name, str(value))]
    raise ValueError(f"{name}: a form cannot carry nothing or an empty list")


def _field(key: str, above: str) -> str:
    """The name of a field in a form; one with brackets could pass for a field of another table."""
    if not key or any(c in "[]" or ord(c) < 32 for c in key):
        raise ValueError(f"{key[:60]!r}: a name in a form has no brackets and no control characters")
    return f"{above}[{key}]" if above else key


def request_bytes(data: Mapping[str, Any]) -> bytes:
    """What is hashed before sending: method, URL, headers and the hash of the body, in canonical JSON."""
    body = data["body"]
    signed = {"auth": dict(data["auth"])} if data.get("auth") else {}
    return canonical(
        {
            "method": data["method"],
            "url": data["url"],
            "headers": dict(data["headers"]),
            "body_sha256": "" if body is None else sha256(body.encode()),
            **signed,
        }
    )


def with_secrets(templates: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, str]:
    """The headers as they leave; KeyError names a secret that was not granted."""
    return {
        name: _PLACEHOLDER.sub(lambda m: secrets[m[1].removeprefix("secret.")] if _SECRET.match(m[1]) else m[0], text)
        for name, text in templates.items()
    }

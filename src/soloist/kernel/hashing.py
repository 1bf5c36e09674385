"""Canonical bytes and hashes: RFC 8785 JSON, salted body hashes, the journal's chain; holds no secrets."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
from collections.abc import Sequence
from json.encoder import JSONEncoder, encode_basestring_ascii
from typing import Any

import rfc8785

from soloist.kernel.errors import BadInput

_LARGEST = 2**53 - 1
_plainly = JSONEncoder(ensure_ascii=False, check_circular=False, sort_keys=True, separators=(",", ":")).encode


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes of a JSON value; BadInput for what JSON cannot carry (NaN, lone surrogates, huge integers)."""
    try:
        with contextlib.suppress(UnicodeEncodeError, RecursionError):  # told below, where it is one there as well
            if _plain(value):
                return _plainly(value).encode()
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, TypeError, RecursionError) as error:
        raise BadInput(f"This is not plain JSON that can be stored exactly: {error}") from error


def _plain(value: Any) -> bool:
    """Whether Python's own encoder writes these very bytes, several times as fast: no fraction, and only ASCII keys."""
    kind = type(value)
    if kind is dict:
        return all(type(key) is str and key.isascii() and _plain(part) for key, part in value.items())
    if kind is list or kind is tuple:
        return all(map(_plain, value))
    if kind is int:
        return bool(-_LARGEST <= value <= _LARGEST)
    return kind is str or kind is bool or value is None


def sha256(data: bytes) -> str:
    """Lower-case hexadecimal SHA-256, 64 characters."""
    return hashlib.sha256(data).hexdigest()


def json_hash(value: Any) -> str:
    """SHA-256 of the canonical bytes of a JSON value."""
    return sha256(canonical(value))


def payload_hash(connector: str, operation: str, payload: Any, assets: Sequence[str] = ()) -> str:
    """What an approval is bound to: connector, operation, payload and the hashes of every attached asset."""
    return json_hash(
        {"connector": connector, "operation": operation, "payload": payload, "asset_hashes": sorted(assets)}
    )


def body_hash(salt: bytes, body: bytes) -> str:
    """Salted hash of an event body: destroying salt and body leaves the chain verifiable and the text unguessable."""
    return sha256(salt + body)


def chain_hash(previous: str, fields: Sequence[str], body: str) -> str:
    """One link of the journal: the previous hash, the fixed fields in order, the salted body hash."""
    # compact JSON of a list of texts, put together here because a JSON encoder takes four times as long
    return sha256(f"[{','.join(map(encode_basestring_ascii, (previous, *fields, body)))}]".encode("ascii"))


def keyed(secret: bytes, text: str) -> str:
    """HMAC-SHA-256 in hexadecimal: provider keys, approval seals, token look-up."""
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()

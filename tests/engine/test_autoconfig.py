"""Settings files that strangers publish: what is taken from them, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soloist.engine import autoconfig

SERVER = (
    '<{tag} type="{kind}"><hostname>{host}</hostname><port>{port}</port><socketType>{tls}</socketType>'
    "<username>%EMAILADDRESS%</username><authentication>{auth}</authentication></{tag}>"
)


def file(tls: str = "SSL", port: str = "993", auth: str = "password-cleartext") -> bytes:
    given = {"port": port, "tls": tls, "auth": auth}
    incoming = SERVER.format(tag="incomingServer", kind="imap", host="imap.linde.example", **given)
    outgoing = SERVER.format(tag="outgoingServer", kind="smtp", host="smtp.linde.example", **given)
    return f"<clientConfig><emailProvider>{incoming}{outgoing}</emailProvider></clientConfig>".encode()


def test_an_offer_with_tls_is_taken():
    offer = autoconfig.read(file(), "mara@linde.example")
    assert (offer.imap.host, offer.imap.security, offer.username) == ("imap.linde.example", "tls", "mara@linde.example")


@pytest.mark.parametrize("tls", ["plain", "", "TLS?"])
def test_an_offer_without_tls_is_not_taken(tls):
    with pytest.raises(ValueError, match="no IMAP and SMTP servers with TLS"):
        autoconfig.read(file(tls), "mara@linde.example")


@pytest.mark.parametrize("port", ["0", "70000", "-1", "x", ""])
def test_a_port_that_cannot_be_is_not_taken(port):
    with pytest.raises(ValueError, match="no IMAP"):
        autoconfig.read(file(port=port), "mara@linde.example")


def test_only_tokens_means_a_sign_in():
    assert autoconfig.read(file(auth="OAuth2"), "mara@linde.example").auth == "xoauth2"


def test_a_document_type_is_refused_before_anything_is_expanded():
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>' + file()
    with pytest.raises(ValueError, match="declares"):
        autoconfig.read(bomb, "mara@linde.example")


def test_a_large_and_a_deep_file_are_refused():
    with pytest.raises(ValueError, match="bytes"):
        autoconfig.read(b" " * (autoconfig.LARGEST + 1), "mara@linde.example")
    with pytest.raises(ValueError, match="deeply"):
        autoconfig.read(b"<a>" * 40, "mara@linde.example")


@given(st.binary(max_size=300))
def test_any_bytes_are_an_offer_or_a_plain_refusal(data):
    with pytest.raises(ValueError, match="the file"):
        autoconfig.read(data, "mara@linde.example")

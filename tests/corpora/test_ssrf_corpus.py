"""Every line of the SSRF corpus against the egress rules, with a resolver that would let any name through."""

import json
from pathlib import Path

import pytest

from soloist.engine.egress import Egress, check_address, parse_url
from soloist.sdk import NotSent

pytestmark = pytest.mark.corpora

NAMED = {
    "127.0.0.1.nip.io": "127.0.0.1",
    "localhost": "127.0.0.1",
    "localhoste": "127.0.0.1",
    "metadata.google.internal": "169.254.169.254",
}


@pytest.fixture
def lines(corpora: Path) -> list[dict]:
    return [json.loads(line) for line in (corpora / "security/ssrf.jsonl").read_text(encoding="utf-8").splitlines()]


async def resolver(host: str, port: int) -> list[str]:
    return [NAMED.get(host, "93.184.216.34")]


async def fate(url: str) -> str:
    """What becomes of a URL when the operator's own configuration names its host and standard port."""
    try:
        target = parse_url(url)
        standard = {"http": 80, "https": 443}[target.scheme]
        await Egress(target.host, standard, resolver=resolver).addresses(target.host, target.port)
    except NotSent:
        return "refuse"
    return "allow"


async def test_every_hostile_url_is_refused(lines: list[dict]) -> None:
    urls = [line["url"] for line in lines if line["must"] == "refuse" and "url" in line]
    assert len(urls) > 100
    assert [url for url in urls if await fate(url) != "refuse"] == []


async def test_every_plain_url_of_a_public_server_is_allowed(lines: list[dict]) -> None:
    """Only whole URLs are asked for: a bare name is no URL here, and IPv4 hidden in IPv6 is always refused."""
    urls = [line["url"] for line in lines if line["must"] == "allow_syntax"]
    plain = [u for u in urls if u.startswith("http") and ("[" not in u or u.startswith("http://[2001:4860"))]
    assert len(plain) > 10
    assert [url for url in plain if await fate(url) != "allow"] == []


async def test_redirects_end_where_they_would_be_refused(lines: list[dict]) -> None:
    for line in lines:
        if chain := line.get("redirect_chain"):
            assert await fate(chain[-1]) == "refuse"


async def test_mixed_dns_answers_are_refused(lines: list[dict]) -> None:
    for line in lines:
        if answers := line.get("dns_answers"):
            with pytest.raises(NotSent):
                [check_address(text.partition(";")[0], allow_private=False) for text in answers]

"""Discovery's questions to DNS, answered by a real name server on this computer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from soloist.engine.discovery import SystemNames

ZONE = {
    ("linde.example.", "MX"): ["20 second.linde.example.", "10 first.linde.example."],
    ("null.example.", "MX"): ["0 ."],
    ("_imaps._tcp.linde.example.", "SRV"): [
        "5 0 993 spare.linde.example.", "0 1 993 b.linde.example.", "0 9 1993 a.linde.example.",
    ],
    ("_imap._tcp.linde.example.", "SRV"): ["0 0 0 ."],
}  # fmt: skip


class NameServer(asyncio.DatagramProtocol):
    """Answers from ``ZONE``; what it does not know does not exist."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        asked = dns.message.from_wire(data)
        question = asked.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        answer = dns.message.make_response(asked)
        found = ZONE.get((question.name.to_text(), kind))
        if found:
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *found))
        else:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self._transport.sendto(answer.to_wire(), addr)  # type: ignore[attr-defined]


@pytest.fixture
async def names() -> AsyncIterator[SystemNames]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", 0))
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], transport.get_extra_info("sockname")[1]
    yield SystemNames(resolver)
    transport.close()


async def test_exchangers_come_in_their_order(names):
    assert await names.exchangers("linde.example") == ["first.linde.example", "second.linde.example"]


async def test_a_domain_that_takes_no_mail_has_no_exchanger(names):
    assert await names.exchangers("null.example") == []


async def test_services_come_by_priority_then_weight(names):
    found = await names.services("_imaps._tcp.linde.example")
    assert found == [("a.linde.example", 1993), ("b.linde.example", 993), ("spare.linde.example", 993)]


async def test_a_service_that_is_not_offered_is_none(names):
    assert await names.services("_imap._tcp.linde.example") == []
    assert await names.services("_submission._tcp.linde.example") == []


async def test_no_name_server_is_no_fault():
    resolver = dns.asyncresolver.Resolver(configure=False)
    assert await SystemNames(resolver).exchangers("linde.example") == []

"""What the tests of the mail adapter share: a Ctx for a user of a mail house, invented mails, pages to their end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from soloist.config import parse
from soloist.engine.connections import connections, context
from soloist.plugins.connectors.mail import CONNECTORS
from soloist.sdk import Ctx, Page
from tests.servers.dovecot_postfix import DOMAIN, PASSWORD, MailHouse

MAIL = next(one for one in CONNECTORS if one.kind == "mail")
SECRETS = {"pw": PASSWORD, "refresh": "anything"}


def ctx_for(
    house: MailHouse,
    user: str,
    *,
    secrets: Mapping[str, str] = SECRETS,
    renew: Callable[[str, str], None] | None = None,
    resolver: Any = None,
    **changed: Any,
) -> Ctx:
    """The Ctx the engine would give for a mailbox of this user; ``changed`` are settings."""
    given = {
        "kind": "mail",
        "address": f"{user}@{DOMAIN}",
        "imap_host": "localhost",
        "imap_port": house.imaps,
        "smtp_host": "localhost",
        "smtp_port": house.submission,
        "username": user,
        "password_secret": "pw",
        "allow_private_network": True,
        "ca_file": str(house.certificate),
        **changed,
    }
    business = {"owner": "Mara Linde", "email": "mara@studio-linde.example"}
    settings = parse({"business": business, "connectors": {"post": given}})
    more = {"resolver": resolver} if resolver else {}
    made = connections(settings)["post"]
    return context(
        made,
        MAIL.manifest,
        settings=settings,
        home=Path("/nonexistent"),
        secrets=secrets.__getitem__,
        renew=renew,
        **more,
    )


def plain(house: MailHouse, user: str, port: int, **changed: Any) -> Ctx:
    """A Ctx whose IMAP goes unencrypted to a port on this computer, through a proxy."""
    return ctx_for(house, user, imap_host="127.0.0.1", imap_port=port, imap_security="none", **changed)


def mail(number: int, *, subject: str = "", body: str = "Hello", more: str = "") -> bytes:
    """An invented mail; the number makes it unlike the others."""
    lines = (
        "From: Ada Okafor <ada@okafor-ceramics.example>",
        "To: Mara Linde <mara@studio-linde.example>",
        f"Subject: {subject or f'Enquiry {number}'}",
        f"Message-ID: <enquiry-{number}@okafor-ceramics.example>",
        "Date: Sat, 21 Nov 2026 07:00:00 +0000",
    )
    return ("\r\n".join(lines) + f"\r\n{more}\r\n{body} {number}\r\n").encode()


async def pulled(ctx: Ctx, stream: str, cursor: str = "") -> list[Page]:
    """Every page from a cursor to the end."""
    return [page async for page in MAIL.pull(ctx, stream, cursor)]


def raws(pages: list[Page]) -> list[bytes]:
    """The mails of the pages in their order."""
    return [arrival.raw for page in pages for arrival in page.arrivals]

"""A mail adapter that knows one password, for tests of connecting; it opens no connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soloist.sdk import Base, Ctx, Health, Manifest, Operation, Stream, Trouble

PASSWORD = "abcd efgh ijkl mnop"
SUBJECTS = ("New online shop", "Invoice 2026-118", "Website for the practice", "Lunch?", "Re: Logo")


class FakeMail(Base):
    """The contract of the mail adapter as far as connecting needs it."""

    kind = "mail"
    manifest = Manifest(
        title="Mail",
        dials=(("imap_host", "imap_port"), ("smtp_host", "smtp_port")),
        urls=("token_url",),
        secrets=("password_secret", "client_secret", "refresh_secret"),
        observes_first=True,
    )

    def __init__(self) -> None:
        self.seen: list[Mapping[str, Any]] = []

    def operations(self, ctx: Ctx) -> Mapping[str, Operation]:
        return {"mail.send": Operation("mail.send", "B")}

    def streams(self, ctx: Ctx) -> Mapping[str, Stream]:
        return {"inbox": Stream("inbox"), "past": Stream("past", past=True)}

    async def check(self, ctx: Ctx) -> Health:
        self.seen.append(dict(ctx.settings))
        key = "refresh_secret" if ctx.settings["auth"] == "xoauth2" else "password_secret"
        given = ctx.secrets[ctx.settings[key]]
        if given == "no line":
            raise Trouble("unavailable", "imap.linde.example did not answer in time.")
        if given == "renew":
            ctx.renew(ctx.settings[key], "renewed")
        elif given != PASSWORD:
            return Health("auth", "imap.linde.example refused the sign-in: [AUTHENTICATIONFAILED] Invalid credentials")
        return Health("ok", samples=SUBJECTS)

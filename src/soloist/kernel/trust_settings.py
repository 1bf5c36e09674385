"""Settings of trust: whom and what a run may name although it has read words from outside; reads no file."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, Field, field_validator

_ADDRESS = re.compile(r"[^\s@,;<>]*@[^\s@,;<>]+\.[^\s@,;<>]+\Z")
_HOST = re.compile(r"(?:[a-z0-9-]+\.)+[a-z0-9-]+\Z")


class TrustPart(BaseModel):
    """What may stand in work that was made from outside words, beside what you wrote yourself and the thread itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    recipients: list[str] = Field(default=[], description="addresses, or @example.com for everybody there")
    hosts: list[str] = Field(default=[], description="hosts a link may lead to; .example.com with all below it")
    accounts: list[str] = Field(default=[], description="accounts (IBAN) that may be named, your own first")

    @field_validator("recipients")
    @classmethod
    def _addresses(cls, value: list[str]) -> list[str]:
        for one in value:
            if not _ADDRESS.match(one):
                raise ValueError(f"an address, or @example.com for everybody there, not {one[:60]!r}")
        return [one.casefold() for one in value]

    @field_validator("hosts")
    @classmethod
    def _hosts(cls, value: list[str]) -> list[str]:
        for one in value:
            if not _HOST.match(one.casefold().removeprefix(".")):
                raise ValueError(f"a host like example.com, without https:// and without a path, not {one[:60]!r}")
        return [one.casefold() for one in value]

"""Settings of billing, appointments and intents: what is ours on an invoice, when we work; reads no file."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[str, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-4]):([0-5]\d)\Z")
Days = Annotated[int, Field(ge=0, le=365)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BillingPart(_Part):
    """What is ours on an invoice, and when a client is reminded."""

    vat_ids: list[str] = Field(default=[], description="your own VAT ids: an invoice of yours is none you received")
    remind_after: list[Days] = Field(
        default=[3, 14, 28],
        max_length=5,
        description="days after the due day; one reminder each, never two at once",
    )
    expect_within: Days = Field(default=7, description="days for which a payment that was announced holds a reminder")

    @field_validator("remind_after")
    @classmethod
    def _grows(cls, value: list[int]) -> list[int]:
        if value != sorted(set(value)):
            raise ValueError("each number of days is larger than the one before")
        return value


class SchedulingPart(_Part):
    """When appointments may be offered, in your own time zone."""

    days: list[Weekday] = Field(default=["mon", "tue", "wed", "thu", "fri"], min_length=1)
    hours: list[str] = Field(default=["09:00-12:30", "13:30-17:00"], min_length=1, max_length=6)
    length: int = Field(default=45, ge=5, le=480, description="minutes of an appointment when nobody says how long")
    buffer: int = Field(default=15, ge=0, le=240, description="minutes kept free before and after each one")
    notice: int = Field(default=24, ge=0, le=720, description="hours from now before which nothing is offered")
    ahead: int = Field(default=21, ge=1, le=120, description="days ahead that are looked at")
    offers: int = Field(default=3, ge=1, le=5, description="how many times are offered")

    @field_validator("hours")
    @classmethod
    def _spans(cls, value: list[str]) -> list[str]:
        ends = 0
        for text in value:
            begin, end = minutes(text)
            if begin < ends or end <= begin:
                raise ValueError(f"{text!r}: spans like 09:00-12:30, one after the other")
            ends = end
        return value


def minutes(span: str) -> tuple[int, int]:
    """``"09:00-12:30"`` as minutes of the day, (540, 750); ValueError says the form."""
    found = _HOURS.match(span.strip())
    if not found:
        raise ValueError(f"write hours like 09:00-12:30, not {span!r}")
    a, b, c, d = (int(part) for part in found.groups())
    return a * 60 + b, min(1440, c * 60 + d)


class IntentPart(_Part):
    """One intent of your own: what messages may want, told by examples."""

    title: str = Field(default="", max_length=120, description="what it is called; its name unless you say so")
    leads: str = Field(
        description='"way:enquiry", "reply:TEMPLATE", "agent:NAME", "operation:CONNECTION.NAME" or "playbook:NAME"'
    )
    examples: list[str] = Field(default=[], description="messages that want it, in any language")

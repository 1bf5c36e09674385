"""The tables [models] and [budgets] of soloist.toml, typed: which models may be asked, and the most they may cost."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from soloist.kernel.night import Hours, minutes
from soloist.kernel.spend import limit, micro_of

_AMOUNT = r"^\d{1,9}(\.\d{1,6})?$"
_SHARE = r"^(0(\.\d{1,6})?|1(\.0{1,6})?)$"
_CLOCK = r"^([01]?\d|2[0-3]):[0-5]\d$"


class Table(BaseModel):
    """A table; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PricePart(Table):
    """What a million tokens cost, when the list that comes with this version does not know it or is not yours."""

    input: str = Field(pattern=_AMOUNT, description="for a million tokens of the question, like 0.25")
    output: str = Field(pattern=_AMOUNT, description="for a million tokens of the answer")
    cached: str = Field(
        default="", pattern=rf"^$|{_AMOUNT}", description="for a million that were cached; empty: input"
    )
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")


class OffPeak(Table):
    """Hours of every day, on your clock, in which a provider asks less."""

    begin: str = Field(pattern=_CLOCK, description="like 18:30")
    end: str = Field(pattern=_CLOCK, description="like 02:30; it may lie after midnight")
    share: str = Field(default="0.5", pattern=_SHARE, description="of the price by day that is asked in these hours")

    @property
    def hours(self) -> Hours:
        """As minutes."""
        return Hours(minutes(self.begin), minutes(self.end))


class Night(Table):
    """When work is done that may wait for the morning."""

    begin: str = Field(default="22:00", pattern=_CLOCK, description="on your clock")
    end: str = Field(default="06:00", pattern=_CLOCK, description="it may lie after midnight")
    ready: str = Field(default="07:00", pattern=_CLOCK, description="when such work is promised for")
    late: Literal["now", "ask"] = Field(
        default="now", description="work that slept through its night: now does it at once and says so, ask asks you"
    )

    @property
    def hours(self) -> Hours:
        """As minutes."""
        return Hours(minutes(self.begin), minutes(self.end))


class Told(Table):
    """One answer that was written down: the question has ``when`` as one of its lines."""

    when: str = Field(min_length=3, max_length=300, description="a line that the question has, like the subject")
    answer: str | dict[str, Any] = Field(description="a text, or a table where the question wants one")


class ModelPart(Table):
    """A language model that may be asked; without any, nothing is written by a model."""

    kind: Literal["openai", "ollama", "llama.cpp", "anthropic", "google", "recorded"] = Field(
        default="openai", description="openai: every address that speaks as OpenAI does; recorded: the answers below"
    )
    base_url: str = Field(default="", description="like https://api.openai.com/v1 or http://localhost:11434/v1")
    model: str = Field(
        min_length=1, max_length=200, description="the provider's name of the model; recorded: who wrote the answers"
    )
    answers: tuple[Told, ...] = Field(default=(), description="recorded: what it says, and to what")
    key: str = Field(default="", pattern=r"^[A-Za-z0-9_.-]{0,100}$", description="name of a secret in the vault")
    tier: Literal[0, 2, 3, 4] = Field(
        default=0, description="2 local, 3 hosted small, 4 hosted large; 0: 2 for ollama and llama.cpp, else 3"
    )
    price: PricePart | None = None
    window: int = Field(default=8192, ge=256, le=10_000_000, description="tokens of question and answer together")
    max_output: int = Field(default=1024, ge=16, le=200_000, description="tokens of one answer at the most")
    timeout: str = Field(default="60s", pattern=r"^\d{1,5}(\.\d+)?\s*(s|m)$", description="for a whole answer")
    schema_output: bool = Field(default=True, description="whether the server takes a JSON schema for its answer")
    allow_private_network: bool | None = Field(
        default=None, description="by default only ollama and llama.cpp may be on this computer or its network"
    )
    ca_file: str = Field(default="", description="certificate authority of a server you run yourself")
    off_peak: OffPeak | None = None
    batch: bool | None = Field(
        default=None, description="whether it takes /v1/batches for work by morning; by default only api.openai.com"
    )
    batch_share: str = Field(default="0.5", pattern=_SHARE, description="of its price that is asked for a batch")

    @model_validator(mode="after")
    def _whole(self) -> ModelPart:
        if self.base_url and not re.match(r"https?://[^/\s]+", self.base_url):
            raise ValueError("base_url begins with https:// or http://")
        if self.kind == "openai" and not self.base_url:
            raise ValueError("a model of the kind openai needs base_url, like https://api.openai.com/v1")
        if self.kind == "recorded" and not self.answers:
            raise ValueError("a model of the kind recorded needs answers, each with when and answer")
        if self.answers and self.kind != "recorded":
            raise ValueError(f"answers belong to a model of the kind recorded, and this one is of the kind {self.kind}")
        if self.kind in ("anthropic", "google") and not self.key:
            raise ValueError(f"a model of the kind {self.kind} needs key, the name of a secret in the vault")
        if self.max_output >= self.window:
            raise ValueError("max_output must be smaller than window, which holds question and answer together")
        return self

    @property
    def batches(self) -> bool:
        """Whether work by morning goes to its endpoint for batches."""
        known = "//api.openai.com/" in f"{self.base_url}/"
        return self.kind == "openai" and (known if self.batch is None else self.batch)

    @property
    def local(self) -> bool:
        """Whether it runs on the operator's own machine and costs nothing by the token."""
        return self.kind in ("ollama", "llama.cpp", "recorded")

    @property
    def stage(self) -> int:
        """Its tier."""
        return self.tier or (2 if self.local else 3)


class Limits(Table):
    """The most that models may use; each like "2 EUR", "200k tokens", "50 calls", "10 runs", or a list of those."""

    call: str | list[str] = []
    run: str | list[str] = []
    day: str | list[str] = []
    month: str | list[str] = []
    total: str | list[str] = []
    alerts: list[int] = Field(default=[50, 80], description="shares in percent at which you are told")

    @field_validator("call", "run", "day", "month", "total")
    @classmethod
    def _limits(cls, value: str | list[str]) -> list[str]:
        found = [value] if isinstance(value, str) else value
        for text in found:
            limit(text, "EUR")
        return found

    @field_validator("alerts")
    @classmethod
    def _shares(cls, value: list[int]) -> list[int]:
        if any(not 1 <= share <= 99 for share in value):
            raise ValueError("shares are whole numbers from 1 to 99")
        return sorted(set(value))

    def of(self, span: str) -> list[str]:
        """The limits of one span as they were written."""
        return list(getattr(self, span))


class Budgets(Limits):
    """What models may cost the whole house, and each agent, flow and client apart."""

    run: str | list[str] = ["0.50"]
    day: str | list[str] = ["2"]
    month: str | list[str] = ["20"]
    agents: dict[str, Limits] = Field(default={}, description='by name; "*" for each one')
    flows: dict[str, Limits] = Field(default={}, description='by name; "*" for each one')
    clients: dict[str, Limits] = Field(default={}, description='by id of the record; "*" for each one')
    rates: dict[str, str] = Field(
        default={}, description='what one unit of another currency counts in yours, like { USD = "0.95" }'
    )
    extension: int = Field(default=25, ge=1, le=1000, description="percent of a cap that one tap on its card adds")

    @field_validator("rates")
    @classmethod
    def _rates(cls, value: dict[str, str]) -> dict[str, str]:
        for text in value.values():
            micro_of(text)
        return value

"""Package: what skills with code of others declare before anything of them runs; it reads no file and runs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from soloist.kernel.agent import meant
from soloist.kernel.errors import BadConfig

State = Literal["waiting", "accepted", "refused", "replaced", "removed"]
Level = Literal["bubblewrap", "landlock", "none"]

GIVEN: Mapping[str, str] = {
    "today": "the day it is, in your time zone",
    "business.name": "the name of your business",
    "business.language": "your language",
    "business.timezone": "your time zone",
    "business.currency": "your currency",
    "business.phone_region": "the country of phone numbers without a prefix",
}
"""Values a skill may declare; it gets those that were granted and no others."""
SCRATCH = "scratch"
CAPABILITIES: Mapping[str, str] = {**GIVEN, SCRATCH: "an empty folder of its own for the time of one call"}
_NEVER = {
    "network": "a skill has no network; what talks to the outside is a connector",
    "files": "a skill reads no files of yours; the bytes of a file are handed to it as `blob`",
    "secrets": "a skill sees no secrets",
    "environment": "a skill runs with an empty environment",
    "processes": "a skill starts no programs",
}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Quotas(_Part):
    """Most that one call may take: seconds of computing time, megabytes of memory, kilobytes of an answer."""

    seconds: int = Field(default=5, ge=1, le=60)
    memory_mb: int = Field(default=512, ge=256, le=2048)
    output_kb: int = Field(default=256, ge=1, le=8192)

    @property
    def wall(self) -> float:
        """Seconds on the clock, for a machine that has other things to do as well."""
        return 3.0 * self.seconds + 15.0


class PackageSpec(_Part):
    """skill.toml of a package: who made it, which modules hold skills, what it declares to need, its quotas.

    ``replaces`` is the shipped skill whose place it takes, under the same name; "" for none.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")
    version: str = Field(pattern=r"^[0-9]{1,6}(\.[0-9]{1,6}){0,3}$")
    summary: str = Field(min_length=10, max_length=300)
    author: str = Field(min_length=2, max_length=120)
    modules: tuple[str, ...] = Field(min_length=1, max_length=20)
    needs: tuple[str, ...] = ()
    limits: Quotas = Quotas()
    replaces: str = Field(default="", pattern=r"^(?:[a-z][a-z0-9_]{1,39})?$")

    @field_validator("needs")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for need in value:
            if need in _NEVER:
                raise ValueError(f"{need!r}: {_NEVER[need]}")
            if need not in CAPABILITIES:
                raise ValueError(f"{need!r} is none of {', '.join(CAPABILITIES)}{meant(need, CAPABILITIES)}")
        return tuple(dict.fromkeys(value))

    @field_validator("modules")
    @classmethod
    def _names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not name.isidentifier() or name == "soloist":
                raise ValueError(f"{name!r} is no name of a module beside skill.toml, like postcodes for postcodes.py")
        return value


def parsed(raw: Mapping[str, Any], place: str) -> PackageSpec:
    """What a package declares (BadConfig: the file, the key, and what would be right)."""
    try:
        return PackageSpec.model_validate(raw)
    except ValidationError as error:
        told = "; ".join(dict.fromkeys(_said(fault) for fault in error.errors()))
        field = ".".join(map(str, error.errors()[0]["loc"])) or None
        raise BadConfig(f"{place}: {told}{'' if told.endswith('?') else '.'}", field=field) from error


_FORMS = {
    "name": "small letters, digits and _, like postcodes",
    "version": 'numbers with dots, like "2" or "2.1"',
    "replaces": "the name of a shipped skill, like summary",
}


def _said(fault: Any) -> str:
    loc = [str(part) for part in fault["loc"]]
    place, message = ".".join(loc), str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        model = Quotas if len(loc) > 1 else PackageSpec
        return f"{place}: there is no such key{meant(loc[-1], [*model.model_fields])}"
    if fault["type"] == "missing":
        return f"{place}: is missing"
    if fault["type"] == "string_pattern_mismatch":
        return f"{place}: {fault['input']!r} has not the form that is needed ({_FORMS[loc[-1]]})"
    return f"{place}: {message}"

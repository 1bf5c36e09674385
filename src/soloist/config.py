"""Typed settings, read once from soloist.toml and the environment; a wrong key is named with what would be right."""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from soloist.kernel.errors import BadConfig

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)\Z")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def seconds(text: str) -> float:
    """``"30s"``, ``"10m"``, ``"24h"``, ``"5d"``, ``"2w"`` in seconds; ValueError says the form."""
    match = _DURATION.match(text.strip().lower())
    if not match:
        raise ValueError(f"write a time like 30s, 10m, 24h, 5d or 2w, not {text!r}")
    return float(match[1]) * _UNITS[match[2]]


class Part(BaseModel):
    """A table of soloist.toml; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Business(Part):
    """Who the operator is, as clients see it."""

    name: str = "My company"
    owner: str = ""
    email: str = "me@localhost"
    timezone: str = "UTC"
    language: str = "en"
    currency: str = Field(default="EUR", pattern=r"^[A-Z]{3}$")
    phone_region: str = Field(default="DE", pattern=r"^[A-Z]{2}$", description="country of numbers without a prefix")

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if value not in available_timezones():
            near = difflib.get_close_matches(value, available_timezones(), 1, 0.4)
            raise ValueError(f"not a time zone{f'; did you mean {near[0]}?' if near else ''}")
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The operator's zone."""
        return ZoneInfo(self.timezone)


class Qualification(Part):
    """What an enquiry is checked against; empty means not asked."""

    services: list[str] = []
    minimum_budget: str = Field(default="", description='like "2000 EUR"')
    regions: list[str] = []
    earliest_start: str = Field(default="", description='a day (2027-01-15) or a lead time ("2w")')


class Intake(Part):
    """How replies to enquiries are prepared."""

    house_book: str = "house-book.md"
    templates: str = "templates"
    follow_up_after: str = "5d"
    reply_within: str = Field(default="2d", description="deadline of a card; at expiry nothing is sent")

    @field_validator("follow_up_after", "reply_within")
    @classmethod
    def _time(cls, value: str) -> str:
        seconds(value)
        return value


class Mail(Part):
    """Where mail comes from and how it goes out."""

    maildir_in: str = "mail/in"
    maildir_out: str = "mail/out"
    drop: str = "drop"
    out: str = Field(default="", description="the connector that sends mail; empty: your mailbox, else the folder")
    hold: str = "30s"
    max_bytes: int = Field(default=25 * 1024 * 1024, ge=10_000, le=100 * 1024 * 1024)

    @field_validator("hold")
    @classmethod
    def _time(cls, value: str) -> str:
        seconds(value)
        return value


class Form(Part):
    """A public form at /f/<name>."""

    title: str = "Contact"
    intro: str = ""
    button: str = "Send"
    thanks: str = "Thank you. We will answer soon."
    allowed_origins: list[str] = Field(default=[], description="sites that may embed the form")
    per_hour: int = Field(default=20, ge=1, le=10_000, description="submissions accepted from one address")


class Find(Part):
    """How a class B operation is looked up."""

    method: Literal["GET", "HEAD"] = "GET"
    path: str
    found: str = "status == 200"
    absent: str = "status == 404"
    lag: str = "2s"

    @field_validator("lag")
    @classmethod
    def _time(cls, value: str) -> str:
        seconds(value)
        return value


class UndoCall(Part):
    """How an operation is taken back."""

    method: Literal["POST", "PUT", "PATCH", "DELETE"]
    path: str
    body: dict[str, Any] | None = None


class HttpOperation(Part):
    """One operation of the generic http connector."""

    method: Literal["POST", "PUT", "PATCH", "DELETE"]
    path: str
    effect_class: Literal["A", "B", "C"] = Field(alias="class")
    key_header: str = ""
    key_window: str = "24h"
    risk: Literal["reversible", "irreversible", "financial"] = "irreversible"
    headers: dict[str, str] = {}
    find: Find | None = None
    undo: UndoCall | None = None
    timeout: str = "30s"
    hold: str = "0s"

    @field_validator("key_window", "timeout", "hold")
    @classmethod
    def _time(cls, value: str) -> str:
        seconds(value)
        return value

    @model_validator(mode="after")
    def _whole(self) -> HttpOperation:
        if self.effect_class == "A" and not self.key_header:
            raise ValueError('class "A" needs key_header, the header in which the provider takes our key')
        if self.effect_class == "B" and self.find is None:
            raise ValueError('class "B" needs find, the request that looks our write up')
        return self


class ConnectorPart(Part):
    """A connector the operator configured: ``kind`` says which adapter; the rest is the adapter's."""

    kind: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,40}$", description="http, smtp, maildir, mail, or a plugin's")
    base_url: str = ""
    allow_private_network: bool = False
    headers: dict[str, str] = {}
    operations: dict[str, HttpOperation] = {}
    webhook_secret: str = Field(default="", description="name of a secret in the vault")
    webhook_scheme: Literal["standard", "stripe", "github"] = "standard"
    webhook_message: dict[str, str] = Field(
        default={}, description="payload fields (dotted) that make a message: from, name, subject, text"
    )
    host: str = ""
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password_secret: str = Field(default="", description="name of a secret in the vault")
    folder: str = "mail/out"
    address: str = Field(default="", description="the mailbox's own address")
    provider: str = Field(default="", description="google, microsoft, or the name of another preset")
    imap_host: str = ""
    imap_port: int = Field(default=993, ge=1, le=65535)
    imap_security: Literal["starttls", "tls", "none"] = "tls"
    smtp_host: str = ""
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    auth: Literal["password", "xoauth2"] = "password"
    authorize_url: str = ""
    token_url: str = ""
    client_id: str = ""
    client_secret: str = Field(default="", description="name of a secret in the vault; empty for a public client")
    refresh_secret: str = Field(default="", description="name of a secret in the vault")
    scope: str = ""
    ca_file: str = Field(default="", description="certificate authority of a server you run yourself")
    folders: list[str] = Field(default=["INBOX"], description="mail folders that are read")
    sent_folder: str = Field(default="", description="where sent mail lies; empty asks the server")
    keep_sent: Literal["auto", "yes", "no"] = Field(
        default="auto", description="whether a copy is put into Sent; auto: unless the provider does it"
    )
    back_fill: str = Field(default="90d", description="how far back mail is read at the start")
    poll: str = Field(default="60s", description="pause between two looks where the server does not push")
    settings: dict[str, Any] = Field(default={}, description="what a plugin's own adapter needs")

    @field_validator("back_fill", "poll")
    @classmethod
    def _time(cls, value: str) -> str:
        seconds(value)
        return value

    @model_validator(mode="after")
    def _whole(self) -> ConnectorPart:
        needs = {"http": ("base_url",), "smtp": ("host",), "mail": ("address", "imap_host", "smtp_host", "username")}
        for name in needs.get(self.kind, ()):
            if not getattr(self, name):
                raise ValueError(f"a connector of the kind {self.kind} needs {name}")
        return self


class Rule(Part):
    """One policy rule: when the CEL expression holds, this is the answer."""

    name: str
    when: str
    then: Literal["deny", "ask", "allow"]
    mode: Literal["audit", "revert"] = "audit"
    window: str = "10m"

    @field_validator("window")
    @classmethod
    def _time(cls, value: str) -> str:
        seconds(value)
        return value


class Policy(Part):
    """The operator's rules, in the order they are shown; deny wins over ask, ask over allow."""

    rules: list[Rule] = []


class Brief(Part):
    """The mail of the morning to the operator's own address."""

    enabled: bool = True
    at: str = Field(default="07:30", pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="local time, HH:MM")


class Server(Part):
    """How the console and the API are served."""

    public_host: str = Field(default="", description="host name under which only forms and hooks are reachable")
    console_host: str = Field(default="", description="host name behind a TLS proxy under which you sign in")
    tls: bool = False


class Settings(Part):
    """The whole of soloist.toml."""

    business: Business = Business()
    qualification: Qualification = Qualification()
    intake: Intake = Intake()
    mail: Mail = Mail()
    forms: dict[str, Form] = {"contact": Form()}
    connectors: dict[str, ConnectorPart] = {}
    policy: Policy = Policy()
    brief: Brief = Brief()
    server: Server = Server()
    sample: bool = Field(default=False, description="the home holds the invented sample company")


def read(path: Path) -> Settings:
    """Settings from a soloist.toml, defaults without one; BadConfig names key, value and what would be right."""
    if not path.exists():
        return Settings()
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path.name} cannot be read: {error}. Nothing was changed.", field=path.name) from error
    return parse(raw, path.name)


def parse(raw: dict[str, Any], name: str = "soloist.toml") -> Settings:
    """Settings from a parsed table; BadConfig lists every fault with its place."""
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        lines = [_sentence(fault) for fault in error.errors()]
        raise BadConfig(f"{name}: " + "; ".join(lines), field=_place(error.errors()[0]["loc"])) from error


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)


def _sentence(fault: Any) -> str:
    """One fault in plain words, with a near key when a key is unknown."""
    place = _place(fault["loc"])
    if fault["type"] != "extra_forbidden":
        return f"{place} = {fault.get('input')!r}: {fault['msg'].removeprefix('Value error, ')}"
    near = difflib.get_close_matches(str(fault["loc"][-1]), sorted(_known_keys()), 1, 0.6)
    return f"{place} is not a known key" + (f"; did you mean {near[0]!r}?" if near else "")


def _known_keys() -> set[str]:
    """Every key that soloist.toml knows at any level."""
    found: set[str] = set()
    todo: list[type[BaseModel]] = [Settings, Form, ConnectorPart, HttpOperation, Find, UndoCall, Rule]
    while todo:
        model = todo.pop()
        for key, info in model.model_fields.items():
            found.add(info.alias or key)
            if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
                todo.append(info.annotation)
    return found


class Home:
    """Where everything of one company lives; computes paths, touches nothing."""

    def __init__(self, root: Path) -> None:
        """``root`` is the home folder."""
        self.root = root
        self.toml = root / "soloist.toml"
        self.database = root / "soloist.db"
        self.assets = root / "assets"
        self.keys = root / "keys"
        self.backups = root / "backups"
        self.logs = root / "logs"
        self.lock = root / "soloist.lock"

    def path(self, relative: str) -> Path:
        """A configured folder or file: absolute as it is, else below the home."""
        return self.root / Path(relative).expanduser()

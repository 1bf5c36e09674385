"""Typed settings, read once from soloist.toml and the environment; a wrong key is named with what would be right."""

from __future__ import annotations

import difflib
import itertools
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from soloist.kernel.errors import BadConfig
from soloist.kernel.model_settings import Budgets, Limits, ModelPart, Night, OffPeak, PricePart
from soloist.kernel.office_settings import BillingPart, IntentPart, SchedulingPart
from soloist.kernel.origin import Sort
from soloist.kernel.trust_settings import TrustPart

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)\Z")
_zones = cache(available_timezones)  # they stand in hundreds of files
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
        if value not in _zones():
            near = difflib.get_close_matches(value, _zones(), 1, 0.4)
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
    """How a class B operation is looked up: one thing by its address, or a list that is searched."""

    method: Literal["GET", "HEAD"] = "GET"
    path: str
    query: dict[str, str] = {}
    found: str = Field(default="status == 200", description="CEL over status, body, headers and key")
    absent: str = Field(default="status == 404", description="CEL; only what proves absence")
    ref: str = Field(default="", description="CEL that gives the provider's id of what was found")
    lag: str = Field(default="2s", description="how long a write may stay invisible to this look-up")

    @field_validator("lag")
    @classmethod
    def _time(cls, value: str) -> str:
        seconds(value)
        return value


class UndoCall(Part):
    """How an operation is taken back; ``{key}`` and ``{ref}`` are those of what is undone."""

    method: Literal["POST", "PUT", "PATCH", "DELETE"]
    path: str
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    body: dict[str, Any] | None = None
    kind: Literal["", "exact", "offset"] = Field(
        default="", description="exact: as if it had not been; offset: a refund, a credit note; empty: by the risk"
    )
    done: str = Field(default="", description="CEL over status, body, headers and key")
    find: Find | None = None


class Listing(Part):
    """How the results of an operation are listed, for comparing outside with inside."""

    path: str
    query: dict[str, str] = {}
    items: str = Field(default="", description="place of the list in the answer; empty: the answer is the list")
    id: str = Field(default="id", description="place of the provider's id in an item")
    key: str = Field(default="", description="place of our key in an item")
    title: str = Field(default="", description="place of what a person calls it")
    at: str = Field(default="", description="place of its instant: ISO text or Unix seconds")
    fields: dict[str, str] = Field(default={}, description="name in the payload = place in an item")
    next: str = Field(
        default="", description='place of the next cursor or address; "header.link" for a Link header; empty: one page'
    )
    cursor: str = Field(default="", description="query parameter that takes the cursor; empty: next is an address")
    more: str = Field(default="", description="place of a true or false that says whether another page follows")
    since: str = Field(default="", description="query parameter for the earliest instant")
    since_as: Literal["iso", "unix"] = "iso"
    pages: int = Field(default=100, ge=1, le=10_000)


class HttpOperation(Part):
    """One operation of the generic http connector; without a class it is C and irreversible."""

    method: Literal["POST", "PUT", "PATCH", "DELETE"]
    path: str = Field(description="below base_url; or a whole address on one of the hosts")
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    body: dict[str, Any] | None = Field(default=None, description="template; empty: the payload itself")
    encoding: Literal["json", "form"] = "json"
    effect_class: Literal["A", "B", "C"] = Field(default="C", alias="class")
    key_header: str = ""
    key_window: str = "24h"
    risk: Literal["reversible", "irreversible", "financial"] = Field(
        default="irreversible", description="reversible by default when an exact undo is declared"
    )
    amount: str = Field(default="amount", description="place of the amount in the payload, in minor units")
    currency: str = Field(default="currency", description="place of the currency in the payload")
    recipients: list[str] = Field(default=["to", "cc"], description="places of the people it reaches")
    control: dict[str, Sort] = Field(default={}, description="what a field steers, by its place in the payload")
    words: list[str] = Field(default=[], description="fields that hold text for a person and steer nothing")
    primitive: Literal["create", "update", "schedule", "send", "read", "write", "act"] | None = Field(
        default=None, description="by default from the method: POST create, PUT and PATCH update, DELETE act"
    )
    audience: Literal["", "nobody", "operator", "client", "list", "public"] = ""
    ref: str = Field(
        default="", description='place of the provider\'s id: "data.id", "header.x-id", or "location" for its last part'
    )
    done: str = Field(default="", description="CEL over status, body, headers and key; only then it is done")
    refused: str = Field(default="", description="CEL; then certainly nothing was done")
    find: Find | None = None
    undo: UndoCall | None = None
    listing: Listing | None = Field(default=None, alias="list")
    page: str = Field(default="", description="the provider's page for a person, with {ref}, {key}, {payload.x}")
    summary: str = ""
    timeout: str = "30s"
    hold: str = "0s"

    @field_validator("key_window", "timeout", "hold")
    @classmethod
    def _time(cls, value: str) -> str:
        seconds(value)
        return value

    @model_validator(mode="before")
    @classmethod
    def _careful(cls, raw: Any) -> Any:
        """Without a class it is irreversible, whatever else is said of it; an exact undo makes it reversible."""
        if not isinstance(raw, dict) or raw.get("risk") == "financial":
            return raw
        if "class" not in raw and raw.get("risk", "reversible") == "reversible":
            return {**raw, "risk": "irreversible"}
        undo = raw.get("undo")
        exact = isinstance(undo, dict) and undo.get("kind", "exact") in ("", "exact")
        return {"risk": "reversible" if exact else "irreversible", **raw}

    @model_validator(mode="after")
    def _whole(self) -> HttpOperation:
        places = (self.path, *self.query.values(), *self.headers.values(), *_texts(self.body))
        if self.effect_class == "A" and not self.key_header and not any("{key}" in text for text in places):
            raise ValueError('class "A" needs key_header, the header in which the provider takes our key')
        if self.effect_class == "B" and self.find is None:
            raise ValueError('class "B" needs find, the request that looks our write up')
        if self.page and not self.page.startswith(("https://", "http://")):
            raise ValueError("page begins with https://")
        return self


def _texts(value: Any) -> list[str]:
    """Every text in a template."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value] if isinstance(value, str) else [text for item in inner for text in _texts(item)]


class HttpAuth(Part):
    """How an http connector signs in; ``secret`` and ``client_secret`` are names in the vault."""

    kind: Literal["bearer", "basic", "header", "client_credentials", "refresh_token"]
    secret: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,100}$")
    username: str = Field(default="", pattern=r"^[^:\x00-\x1f]*$", description="for basic")
    header: str = Field(default="X-Api-Key", description="for header")
    token_url: str = Field(default="", description="for client_credentials and refresh_token")
    client_id: str = ""
    client_secret: str = ""
    scope: str = ""

    @model_validator(mode="after")
    def _whole(self) -> HttpAuth:
        if self.kind in ("client_credentials", "refresh_token") and not (self.token_url and self.client_id):
            raise ValueError(f"auth of the kind {self.kind} needs token_url and client_id")
        return self


class Late(Part):
    """News that flips something done earlier: the webhook event that tells it and where it names the thing."""

    kind: str = Field(description="kind of the webhook's event, like charge.dispute.created")
    ref: str = Field(description="place of the provider's id in the event")
    says: str = Field(default="", description="what it means, in a sentence for the card")
    means: Literal["void", "wrong"] = Field(
        default="void", description="void: it is no longer so; wrong: it happened and should not have"
    )


class ConnectorPart(Part):
    """A connector the operator configured: ``kind`` says which adapter; the rest is the adapter's."""

    kind: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,40}$", description="http, smtp, maildir, mail, or a plugin's")
    base_url: str = ""
    allow_private_network: bool = False
    headers: dict[str, str] = {}
    operations: dict[str, HttpOperation] = {}
    hosts: list[str] = Field(default=[], description="further hosts that operations may name, like files.example.com")
    rate: str = Field(
        default="",
        pattern=r"^(\s*[1-9]\d{0,5}\s*/\s*[smhd]\s*(,|$))*$",
        description='how often, like "10/s" or "10/s, 100/m"',
    )
    late: dict[str, Late] = {}
    consistency: str = Field(default="", description="how far outside and inside may drift apart, in a sentence")
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
    auth: Literal["password", "xoauth2"] | HttpAuth = Field(
        default="password", description="of a mailbox; for http a table of its own"
    )
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
        if self.kind == "mail" and isinstance(self.auth, HttpAuth):
            raise ValueError('auth of a mailbox is "password" or "xoauth2"')
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
    bulk: int = Field(default=5, ge=1, le=1000, description="more recipients than this, or proposals at once, ask")


class Brief(Part):
    """The mail of the morning to the operator's own address."""

    enabled: bool = True
    at: str = Field(default="07:30", pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="local time, HH:MM")


class Watch(Part):
    """Web pages that are looked at once a week; nothing else is ever fetched for it."""

    pages: list[str] = Field(default=[], max_length=50, description="addresses, like https://www.example.com/prices")
    allow_private_network: bool = Field(default=False, description="true only for servers you run yourself")

    @field_validator("pages")
    @classmethod
    def _addresses(cls, value: list[str]) -> list[str]:
        for text in value:
            if not re.fullmatch(r"https?://[^\s<>\"']{3,400}", text):
                raise ValueError(f"write a whole address like https://www.example.com/prices, not {text!r}")
        return value


class Attention(Part):
    """How much of the operator's time cards may take, and when."""

    minutes_per_day: int = Field(default=30, ge=1, le=960, description="what is planned for decisions in one day")
    windows: list[str] = Field(
        default=["09:00-09:30", "16:30-17:00"], description="times of the day for decisions; none: the whole day"
    )
    weekdays: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = ["mon", "tue", "wed", "thu", "fri"]
    interruptions_per_day: int = Field(default=3, ge=0, le=100, description="urgent cards that may reach you at once")
    urgent_value: str = Field(
        default="1000 EUR", pattern=r"^(\d{1,9} [A-Z]{3})?$", description="money at risk from which a card is urgent"
    )

    @field_validator("windows")
    @classmethod
    def _hours(cls, value: list[str]) -> list[str]:
        clock = r"([01]\d|2[0-3]):[0-5]\d"
        for text in value:
            if not re.fullmatch(f"{clock}-{clock}", text) or text[:5] >= text[6:]:
                raise ValueError(f"write a window like 09:00-09:30, not {text!r}")
        found = sorted(value)
        if any(later[:5] < earlier[6:] for earlier, later in itertools.pairwise(found)):
            raise ValueError("two windows overlap")
        return found


class Person(Part):
    """Somebody a card may be handed to: she decides about that one card as herself, by mail or by a link."""

    name: str = Field(min_length=1, max_length=100)
    email: str = Field(pattern=r"^[^@\s<>\"',;]{1,64}@[^@\s<>\"',;]{1,255}$")


class Backup(Part):
    """What is kept against the loss of this machine; keys are never in a backup, the recovery sheet carries them."""

    every: str = Field(default="1d", description="pause between two backups; 0s: none by itself")
    keep: int = Field(default=14, ge=1, le=1000, description="how many are kept, in each folder")
    to: str = Field(default="", description="a second folder, best on another disk or a synced one")
    drill: str = Field(default="7d", description="pause between two trials of the newest backup; 0s: none by itself")
    checkpoints: str = Field(default="", description="folder that signed ends of the journal are copied to")

    @field_validator("every", "drill")
    @classmethod
    def _time(cls, value: str) -> str:
        seconds(value)
        return value


class RecordsPart(Part):
    """Kinds and fields of the operator's own; each is checked with its line when the home is opened."""

    kinds: dict[str, Any] = Field(default={}, description="kinds of records of your own, each a table with fields")
    fields: dict[str, Any] = Field(default={}, description="fields of your own on a kind, each a table with a type")


class Confidence(Part):
    """From when on something goes alone: how often it must be right, by your own decisions; and what is looked at."""

    target: float = Field(
        default=0.95, ge=0.5, le=0.999, description="share that must be right with 95 % certainty before it goes alone"
    )
    targets: dict[str, Annotated[float, Field(ge=0.5, le=0.999)]] = Field(
        default={}, description="another share for a skill, by its name"
    )
    look_at: float = Field(default=0.02, ge=0, le=1, description="share of what went alone that you are shown")
    per_week: int = Field(default=5, ge=0, le=100, description="most of these in a week")
    language_bar: float = Field(
        default=0.8, ge=0.5, le=1, description="share of your own examples a language must get right to be told apart"
    )

    def of(self, skill: str) -> float:
        """The share a skill must reach."""
        return self.targets.get(skill, self.target)


class SkillsPart(Part):
    """How skills with code of others are run."""

    sandbox: Literal["auto", "bubblewrap", "landlock", "none"] = Field(
        default="auto", description="the walls around code of others; auto takes the strongest that hold"
    )


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
    watch: Watch = Watch()
    attention: Attention = Attention()
    people: dict[str, Person] = Field(default={}, description="whom a card may be handed to, by a short name")
    backup: Backup = Backup()
    records: RecordsPart = RecordsPart()
    models: dict[str, ModelPart] = Field(default={}, description="language models, by a name of yours")
    budgets: Budgets = Budgets()
    night: Night = Night()
    confidence: Confidence = Confidence()
    intents: dict[str, IntentPart] = {}
    billing: BillingPart = BillingPart()
    scheduling: SchedulingPart = SchedulingPart()
    trust: TrustPart = TrustPart()
    skills: SkillsPart = SkillsPart()
    server: Server = Server()
    sample: bool = Field(default=False, description="the home holds the invented sample company")


def read(path: Path, *, strict: bool = True) -> Settings:
    """Settings from a soloist.toml, defaults without one; BadConfig names key, value and what would be right.

    Without ``strict`` faults in the policy rules alone are left to whoever reads the rules, and no rule is returned.
    """
    if not path.exists():
        return Settings()
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path.name} cannot be read: {error}. Nothing was changed.", field=path.name) from error
    return parse(raw, path.name, strict=strict)


def parse(raw: dict[str, Any], name: str = "soloist.toml", *, strict: bool = True) -> Settings:
    """Settings from a parsed table; BadConfig lists every fault with its place."""
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        if not strict and all(fault["loc"][:1] == ("policy",) for fault in error.errors()):
            return parse({key: value for key, value in raw.items() if key != "policy"}, name)
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
    todo: list[type[BaseModel]] = [
        Settings,
        Form,
        ConnectorPart,
        HttpOperation,
        Find,
        UndoCall,
        Listing,
        HttpAuth,
        Person,
        Rule,
        ModelPart,
        PricePart,
        Limits,
        Night,
        OffPeak,
    ]
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

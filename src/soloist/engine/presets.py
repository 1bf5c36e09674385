"""Presets: what is known of common mail providers; it reads its table and asks nobody."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

Security = Literal["tls", "starttls"]


@dataclass(frozen=True)
class Place:
    """A mail server: host, port, and whether TLS comes at once (tls) or on request (starttls)."""

    host: str
    port: int
    security: Security


@dataclass(frozen=True)
class Preset:
    """A provider. ``oauth`` names its sign-in ("google", "microsoft"); ``local`` one that runs on this computer."""

    name: str
    title: str
    domains: tuple[str, ...]
    mx: tuple[str, ...]
    imap: Place
    smtp: Place
    username: Literal["address", "local"] = "address"
    auth: Literal["password", "xoauth2"] = "password"
    password: str = ""
    switch: str = ""
    saves_sent: bool = False
    oauth: str = ""
    local: bool = False


@dataclass(frozen=True)
class SignIn:
    """Where a provider's sign-in lives and what is asked there."""

    authorize_url: str
    token_url: str
    device_url: str
    scope: str
    extra: tuple[tuple[str, str], ...] = ()


SIGN_INS = {
    "google": SignIn(
        "https://accounts.google.com/o/oauth2/v2/auth",
        "https://oauth2.googleapis.com/token",
        "",  # Google gives no device code for mail
        "https://mail.google.com/",
        (("access_type", "offline"), ("prompt", "consent")),
    ),
    "microsoft": SignIn(
        "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
        "https://login.microsoftonline.com/common/oauth2/v2.0/token",
        "https://login.microsoftonline.com/common/oauth2/v2.0/devicecode",
        "https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send offline_access",
    ),
}


@cache
def known() -> dict[str, Preset]:
    """Every preset by name."""
    raw = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {name: _preset(name, entry) for name, entry in raw.items()}


def by_domain(domain: str) -> Preset | None:
    """The preset whose addresses end in this domain (ASCII, lower case)."""
    return next((preset for preset in known().values() if domain in preset.domains), None)


def by_exchanger(hosts: Iterable[str]) -> tuple[Preset, str] | None:
    """The preset that one of these mail exchangers belongs to, and that exchanger's name; the longest suffix wins."""
    for host in hosts:
        name = host.lower().rstrip(".")
        fits = [(len(tail), preset) for preset in known().values() for tail in preset.mx if _below(name, tail)]
        if fits:
            return max(fits, key=lambda fit: fit[0])[1], name
    return None


def _below(name: str, tail: str) -> bool:
    return name == tail or name.endswith("." + tail)


def _preset(name: str, entry: dict[str, Any]) -> Preset:
    places = {key: Place(*entry[key]) for key in ("imap", "smtp")}
    lists = {key: tuple(entry[key]) for key in ("domains", "mx")}
    return Preset(name=name, **{**entry, **places, **lists})

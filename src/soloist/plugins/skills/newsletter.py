"""Puts a newsletter together from ideas and publications, as text and HTML; it writes no sentence and sends nothing."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field

from soloist.kernel.errors import BadInput
from soloist.kernel.message import Frozen
from soloist.plugins.skills import _issue_templates as templates
from soloist.sdk import skill


class Item(Frozen):
    """One entry: a title, a text of the operator's, a link (http or https) and the record it is from ("" for none)."""

    title: str = Field(min_length=1, max_length=300)
    text: str = Field(default="", max_length=8000)
    link: str = ""
    record: str = ""


class Section(Frozen):
    """A heading and its entries."""

    title: str = Field(min_length=1, max_length=200)
    items: list[Item] = Field(default=[], max_length=40)


class In(Frozen):
    """What the issue holds. ``unsubscribe`` is the link that every issue must carry (https or mailto).

    ``templates`` are the operator's own, "text" and "html"; ``postal`` the address of the sender as law asks for it.
    """

    title: str = Field(min_length=1, max_length=200)
    intro: str = Field(default="", max_length=8000)
    sections: list[Section] = Field(default=[], max_length=20)
    closing: str = Field(default="", max_length=4000)
    sender: str = Field(min_length=1, max_length=200)
    postal: str = Field(default="", max_length=300)
    unsubscribe: str
    language: str = "en"
    templates: dict[str, str] = Field(default={})


class Out(Frozen):
    """The issue. ``links`` in the order they stand, ``records`` it was made from, ``left_out`` why something is not in
    it, ``notes`` what to look at."""

    subject: str
    text: str
    html: str
    links: list[str]
    records: list[str] = Field(default=[])
    left_out: list[str] = Field(default=[])
    notes: list[str] = Field(default=[])


@skill("newsletter", version="1")
def newsletter(value: In) -> Out:
    """Put a newsletter together; BadInput without a link to unsubscribe or without anything in it."""
    unsubscribe = _unsubscribe(value.unsubscribe)
    sections, left_out = _sections(value)
    if not sections:
        raise BadInput("The newsletter holds no entry that can be used, so there is nothing to send.", field="sections")
    words = templates.FOOT.get(value.language, templates.FOOT["en"])
    values: dict[str, Any] = {
        "title": _line(value.title),
        "intro": value.intro.strip(),
        "intro_parts": _parts(value.intro),
        "sections": sections,
        "closing": value.closing.strip(),
        "closing_parts": _parts(value.closing),
        "sender": _line(value.sender),
        "postal": _line(value.postal),
        "unsubscribe": unsubscribe,
        "language": value.language if re.fullmatch(r"[a-z]{2}", value.language) else "en",
        "words": words,
    }
    notes = (
        [] if value.postal.strip() else ["There is no postal address in it; in many countries the law asks for one."]
    )
    text = templates.fill(value.templates.get("text", templates.NEWSLETTER_TEXT), values, html=False, name="text")
    html = templates.fill(value.templates.get("html", templates.NEWSLETTER_HTML), values, html=True, name="html")
    for name, whole in (("text", text), ("html", html)):
        if unsubscribe not in whole.replace("&amp;", "&"):
            raise BadInput(
                f"The template {name} leaves out the link to unsubscribe; add {{{{ unsubscribe }}}}.", field=name
            )
    items = [item for section in sections for item in section["items"]]
    return Out(
        subject=_line(value.title),
        text=text,
        html=html,
        links=[item["link"] for item in items if item["link"]],
        records=[item["record"] for item in items if item["record"]],
        left_out=left_out,
        notes=notes,
    )


def _unsubscribe(link: str) -> str:
    """The link to unsubscribe, BadInput when it is none."""
    link = link.strip()
    if not _is_web(link, ("https", "http")) and not re.fullmatch(r"mailto:[^\s@<>\"]+@[^\s@<>\"]+", link):
        raise BadInput(
            f"A newsletter needs a link to unsubscribe (https or mailto), and {link[:120]!r} is none.",
            field="unsubscribe",
        )
    return link


def _sections(value: In) -> tuple[list[dict[str, Any]], list[str]]:
    """Sections as the templates take them; entries with a dangerous link and second copies are left out."""
    found, left_out, seen = [], [], set()
    for section in value.sections:
        items = []
        for item in section.items:
            link = item.link.strip()
            if link and not _is_web(link, ("https", "http")):
                left_out.append(f"{item.title!r}: {link[:120]!r} is no link to a page.")
                continue
            key = (link.rstrip("/") or item.title.casefold().strip(),)
            if key in seen:
                left_out.append(f"{item.title!r} is in it already.")
                continue
            seen.add(key)
            text = item.text.strip()
            items.append(
                {"title": _line(item.title), "text": text, "parts": _parts(text), "link": link, "record": item.record}
            )
        if items:
            found.append({"title": _line(section.title), "items": items})
        else:
            left_out.append(f"The section {section.title!r} has no entry.")
    return found, left_out


def _is_web(link: str, schemes: tuple[str, ...]) -> bool:
    """Whether a link leads to a page and holds nothing that ends it early."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.hostname) and not re.search(r"[\s<>\"'`\\]|[^\x21-\x7e]", link)


def _parts(text: str) -> list[str]:
    """Paragraphs."""
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.strip()]


def _line(text: str) -> str:
    """One line."""
    return " ".join(text.split())

"""The text layer of a PDF, as it runs or as it stands on the page, and its attached files; it guesses no picture."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MOST_PAGES = 300
MOST_TEXT = 2_000_000
MOST_SECONDS = 12.0
MOST_ON_A_PAGE = 60_000
MOST_ATTACHED = 10_000_000
_WIDE = 0.9
"""Of a line's height: a gap that parts two columns."""
_WORD = 0.25
"""Of a line's height: a gap that parts two words, where the file holds no blank."""
_COLUMN = 4.5
"""Points of one column of the text that stands as on the page."""


@dataclass
class Pdf:
    """What was read: the pages' texts, the attached files by name, and in plain words what could not be read."""

    pages: list[str] = field(default_factory=list)
    attached: dict[str, bytes] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    count: int = 0
    truncated: bool = False


def read(blob: bytes, *, layout: bool, most_pages: int = MOST_PAGES, attachments: bool = False) -> Pdf:
    """Read a PDF; with ``layout`` every line of a page is one line, and columns are three or more blanks apart.

    Nothing is raised for bad bytes: what cannot be read is named in ``faults``.
    """
    import pypdfium2
    from pypdfium2 import PdfiumError

    found = Pdf()
    try:
        document = pypdfium2.PdfDocument(blob)
    except PdfiumError as error:
        said = str(error)
        locked = "password" in said.lower() or "security" in said.lower()
        why = "It is locked with a password." if locked else f"It is no PDF that can be opened ({said[:100]})."
        found.faults.append(why)
        return found
    try:
        _fill(found, document, layout=layout, most_pages=most_pages)
        if attachments:
            found.attached = _attached(document, found)
    finally:
        document.close()
    return found


def _fill(found: Pdf, document: Any, *, layout: bool, most_pages: int) -> None:
    from pypdfium2 import PdfiumError

    begun, size = time.process_time(), 0
    found.count = len(document)
    for number in range(min(found.count, most_pages)):
        if size > MOST_TEXT or time.process_time() - begun > MOST_SECONDS:
            break
        try:
            page = document[number]
            text = _standing(page) if layout else _running(page)
        except PdfiumError as error:
            text = ""
            found.faults.append(f"Page {number + 1} cannot be read ({str(error)[:80]}).")
        else:
            if not text.strip():
                found.faults.append(f"Page {number + 1} has no text layer (a scan or a picture); nothing was guessed.")
        found.pages.append(text[: MOST_TEXT - size])
        size += len(text)
    if len(found.pages) < found.count or size > MOST_TEXT:
        found.truncated = True
        found.faults.append(f"Only the first {len(found.pages)} of {found.count} pages were read.")


def _attached(document: Any, found: Pdf) -> dict[str, bytes]:
    """The attached files, each once, together not more than the limit."""
    from pypdfium2 import PdfiumError

    files: dict[str, bytes] = {}
    left = MOST_ATTACHED
    for index in range(min(document.count_attachments(), 50)):
        try:
            one = document.get_attachment(index)
            name, data = _whole(one.get_name()), bytes(one.get_data())
        except (PdfiumError, ValueError, UnicodeError) as error:
            found.faults.append(f"An attached file cannot be read ({str(error)[:80]}).")
            continue
        left -= len(data)
        if left < 0:
            found.faults.append(f"The attached file {name} is too large; it was left out.")
            break
        files.setdefault(name, data)
    return files


def _whole(text: str) -> str:
    """Text with the halves of a pair put together; a half that stands alone becomes a replacement character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").replace("\x00", "")


def _running(page: Any) -> str:
    """The text in the order of the file, which is mostly the order of reading."""
    return _whole(page.get_textpage().get_text_bounded()).replace("\r\n", "\n").replace("\r", "\n")


@dataclass
class _Letter:
    """A character and its box in points; ``middle`` is the height of its centre above the bottom of the page."""

    text: str
    left: float
    right: float
    middle: float
    height: float
    spaced: bool


def _standing(page: Any) -> str:
    """The text as it stands on the page: letters on one height are one line, from left to right."""
    lines: list[list[_Letter]] = []
    for letter in sorted(_letters(page), key=lambda one: -one.middle):
        last = lines[-1] if lines else None
        if last and abs(last[0].middle - letter.middle) < 0.42 * max(4.0, min(last[0].height, letter.height)):
            last.append(letter)
        else:
            lines.append([letter])
    return _whole("\n".join(_line(letters) for letters in lines))


def _line(letters: list[_Letter]) -> str:
    """One line as text; how many blanks stand between two words says how far apart they are."""
    letters.sort(key=lambda one: one.left)
    parts: list[str] = []
    end, wide = 0.0, 0
    for one in letters:
        gap = (one.left - end) / max(one.height, 4.0)
        if gap >= _WIDE:
            blanks = min(200, max(3 if parts else 0, int(one.left / _COLUMN) - wide))
            parts.append(" " * blanks)
            wide += blanks
        elif parts and (gap > _WORD or (one.spaced and gap > -_WORD)):
            parts.append(" ")
            wide += 1
        parts.append(one.text)
        wide += len(one.text)
        end = max(end, one.right)
    return "".join(parts)


def _letters(page: Any) -> Iterator[_Letter]:
    """The visible characters of a page with their boxes."""
    from pypdfium2 import raw

    whole = page.get_textpage()
    box = raw.FS_RECTF()
    spaced = False
    for index in range(min(whole.count_chars(), MOST_ON_A_PAGE)):
        code = raw.FPDFText_GetUnicode(whole, index)
        if code <= 32 or code in (0xA0, 0xFFFE, 0xFFFF, 0xAD, 0x200B):
            spaced = True
            continue
        if not raw.FPDFText_GetLooseCharBox(whole, index, ctypes.byref(box)):
            continue
        height = abs(box.top - box.bottom)
        middle = (box.top + box.bottom) / 2
        text = chr(code) if code < 0x110000 else "\ufffd"
        yield _Letter(text, box.left, box.right, middle, height or 8.0, spaced)
        spaced = False

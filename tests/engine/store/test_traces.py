"""Traces of a person in every writing of them, and nothing of anybody else's."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from soloist.engine.store.traces import ERASED, Trace, Traces, in_file, needles, packed, usable, words

ADA = Traces(
    [
        Trace("address", "ada@okafor.example"),
        Trace("name", "Ada Müller-Okafor"),
        Trace("phone", "+49 40 1234567"),
    ]
)


@pytest.mark.parametrize(
    "text",
    [
        "write to ADA@Okafor.example.",
        "<mailto:ada@okafor.example>",
        "ada mÜller-okafor came",
        "Ada\n  Müller-Okafor",
        "Ada Mu\u0308ller-Okafor",
        '{"n": "Ada M\\u00fcller-Okafor"}',
        "call 040/123 45 67 now",
        "(040) 1234567",
        "0049401234567",
    ],
)
def test_every_writing_is_found_and_struck(text: str) -> None:
    assert ADA.inside(text)
    assert not ADA.inside(ADA.struck(text))
    assert ERASED in ADA.struck(text)


@pytest.mark.parametrize(
    "text",
    ["canada@okafor.example", "ada@okafor.example.org", "Ada Okafor", "Müller-Okafor", "91401234568", "Nevada Müller"],
)
def test_what_is_somebody_elses_is_left(text: str) -> None:
    assert not ADA.inside(text)
    assert ADA.struck(text) == text


def test_bytes_of_mails_are_read_as_mails_encode_them() -> None:
    plain = "Best wishes, Ada Müller-Okafor"
    assert ADA.in_bytes(base64.encodebytes(plain.encode() * 3))
    assert ADA.in_bytes(b"Best wishes, Ada M=C3=BCller-Oka=\r\nfor")
    assert ADA.in_bytes(plain.encode("utf-16-le"))
    assert not ADA.in_bytes(base64.encodebytes(b"nobody in particular at all" * 9))


def test_a_file_is_searched_over_the_edges_of_its_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("soloist.engine.store.traces._CHUNK", 7)
    path = tmp_path / "file"
    text = "ada@okafor.example"
    path.write_bytes(b"xx " + text.upper().encode() + b" yy " + base64.b64encode(b"12" + text.encode() + b"3"))
    size, found = in_file(path, needles([text]), packed([text]))
    assert (size, found) == (path.stat().st_size, {text: 2})


def test_only_what_points_at_one_person_is_a_trace() -> None:
    given = [Trace("name", "Mark"), Trace("name", "Mark Weber"), Trace("phone", "123"), Trace("text", "x")]
    assert usable([*given, Trace("name", "mark  weber")]) == [Trace("name", "Mark Weber")]
    assert words([Trace("name", "Mark Weber"), Trace("address", "a@weber.example")]) == ["mark", "weber"]

"""Real and hostile mail of the corpora: everything is read, bounces and lists are known, people's mail is left alone.

Run with -s to see the figures. The folder comes from SOLOIST_CORPORA; the tests fail when it is not there.
"""

from __future__ import annotations

import base64
import json
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from soloist.kernel.message import ParsedMail
from soloist.plugins.skills.read_mail import read_mail, read_part

pytestmark = pytest.mark.corpora


@dataclass
class Reading:
    """All mails as read, by folder and file name, and the processor time of each in milliseconds."""

    mails: dict[str, ParsedMail] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)

    def kinds(self, start: str) -> Counter[str]:
        """How often each kind of automatic mail is among the files whose name starts so."""
        return Counter(
            mail.automatic.kind if mail.automatic else "person"
            for name, mail in self.mails.items()
            if name.startswith(start)
        )


@pytest.fixture(scope="module")
def email(corpora: Path) -> Path:
    folder = corpora / "corpora" / "email"
    if not folder.is_dir():
        pytest.fail(f"There is no folder {folder}; make test-corpora needs it.")
    return folder


@pytest.fixture(scope="module")
def reading(email: Path) -> Reading:
    found = Reading()
    for file in sorted(email.glob("*/*")):
        raw = file.read_bytes()
        started = time.process_time()
        out = read_mail.call({}, raw)
        found.times.append((time.process_time() - started) * 1000)
        json.dumps(out, ensure_ascii=False).encode("utf-8")
        found.mails[f"{file.parent.name}/{file.name}"] = ParsedMail.model_validate(out)
    return found


def test_every_mail_is_read(reading: Reading) -> None:
    times = sorted(reading.times)
    faulty = sum(1 for mail in reading.mails.values() if mail.defects)
    print(f"\n{len(times)} mails read, {faulty} with defects; CPU ms: median {statistics.median(times):.2f}, ", end="")
    print(f"95th of a hundred {times[int(len(times) * 0.95)]:.2f}, longest {times[-1]:.2f}")
    assert len(times) >= 700
    assert not [name for name, mail in reading.mails.items() if any("taken apart" in defect for defect in mail.defects)]


def test_reading_is_cheap(reading: Reading) -> None:
    assert statistics.median(reading.times) < 5


def test_mails_of_bounces_are_automatic(reading: Reading) -> None:
    kinds = reading.kinds("bounces/")
    share = 1 - kinds["person"] / kinds.total()
    print(f"\nbounces: {share:.1%} automatic of {kinds.total()}: {dict(kinds)}")
    assert share >= 0.98
    assert kinds["bounce"] / kinds.total() >= 0.9


def test_what_is_no_bounce_is_not_called_one(reading: Reading) -> None:
    assert reading.mails["bounces_err/not__is-not-bounce-01.eml"].automatic is None


def test_list_mail_is_known_and_personal_mail_left_alone(reading: Reading, email: Path) -> None:
    easy, hard = Counter[tuple[bool, bool]](), Counter[tuple[bool, bool]]()
    for name, mail in reading.mails.items():
        if name.startswith("spamassassin/") and "-ham-" in name:
            count = hard if "hard-ham" in name else easy  # hard ham is newsletters, with and without such headers
            count[_list_headers(email / name), mail.automatic is not None] += 1
    for called, count in (("easy", easy), ("hard", hard)):
        print(
            f"\n{called} ham with list headers: {count[True, True]} of {count[True, True] + count[True, False]}", end=""
        )
        print(f" flagged; without: {count[False, True]} of {count[False, True] + count[False, False]}")
    assert easy[True, False] == hard[True, False] == 0
    assert easy[False, True] == 0
    assert easy[True, True] + hard[True, True] >= 100


@pytest.mark.parametrize("folder", ["replies_github", "replies_talon", "replies_zapier", "mime_hard"])
def test_mail_of_people_is_not_automatic(reading: Reading, folder: str) -> None:
    kinds = reading.kinds(f"{folder}/")
    assert kinds["person"] / kinds.total() >= 0.98, kinds


def test_every_attachment_can_be_read_by_its_pointer(reading: Reading, email: Path) -> None:
    count = 0
    for name, mail in reading.mails.items():
        for attachment in mail.attachments:
            part = read_part.call({"part": attachment.part}, (email / name).read_bytes())
            assert len(base64.b64decode(part["base64"])) == attachment.size
            count += 1
    assert count > 200


def test_every_malformed_mail_is_read(corpora: Path) -> None:
    lines = (corpora / "security" / "mail_malformed.jsonl").read_text(encoding="utf-8").splitlines()
    for line in lines:
        case = json.loads(line)
        out = read_mail.call({}, base64.b64decode(case["raw_b64"]))
        mail = ParsedMail.model_validate(out)
        assert not [defect for defect in mail.defects if "taken apart" in defect], case["name"]
    assert len(lines) >= 30


def _list_headers(file: Path) -> bool:
    """Whether the mail's own header block says list or bulk, found without our reader."""
    head = file.read_bytes().replace(b"\r\n", b"\n").partition(b"\n\n")[0].lower()
    names = (
        b"list-id:",
        b"list-post:",
        b"list-unsubscribe:",
        b"mailing-list:",
        b"x-mailing-list:",
        b"precedence: bulk",
        b"precedence: list",
    )
    return any(line.startswith(names) for line in head.split(b"\n"))

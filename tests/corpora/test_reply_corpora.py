"""Reply splitting on corpora that others wrote: which own words stay and which words must be gone."""

from __future__ import annotations

import email
import email.policy
import os
from pathlib import Path

import pytest

from soloist.plugins.skills._split import split

pytestmark = pytest.mark.corpora

MAIL = Path(os.environ.get("SOLOIST_CORPORA", "../shared/data")) / "corpora" / "email"

# file -> (first own words, last own words, words that must be gone); read by a person, not by a program
EXPECTED = {
    "replies_github/correct_sig.txt": ("this is an email", "-- signature.", "rick"),
    "replies_github/email_1_1.txt": ("Hi folks", "Java HTTP API.", "Abhishek"),
    "replies_github/email_1_2.txt": ("Hi,", 'individually."', "Hi folks"),
    "replies_github/email_1_3.txt": ("Oh thanks.", "would be great.", "Russell"),
    "replies_github/email_1_6.txt": ("I get proper", "as well.", "magnificent"),
    "replies_github/email_1_8.txt": ("I will reply", "and under this.", "signature"),
    "replies_github/email_2_1.txt": ("Outlook with", "a reply", "Google"),
    "replies_github/email_2_2.txt": ("Outlook with", "above line", "CRM"),
    "replies_github/email_2_3.txt": ("Outlook with", "above line", "CRM"),
    "replies_github/email_iPhone.txt": ("Here is", "another email", "iPhone"),
    "replies_github/email_one_is_not_on.txt": ("Thank, this", "when I run...", "good news"),
    "replies_github/greedy_on.txt": ("On your remote", "not working.", "George"),
    "replies_github/pathological.txt": ("I think you're", "to a computer.", "Sullivan"),
    "replies_talon/signature__emails__P__102682_R_S": ("From: doe", "with losing....", "doe@example.com\n#sig#"),
    "replies_talon/signature__emails__stripped__camel_case_body": ("Martin, can", "cool shirts!", "\0"),
    "replies_talon/signature__emails__stripped__sparse_body": ("Lorem ipsum", "aliquam lacus.", "AM_LOGO"),
    "replies_talon/standard_replies__android.eml": ("Hello", "Hello", "02.04.2012"),
    "replies_talon/standard_replies__gmail.eml": ("Hello", "Hello", "Megan"),
    "replies_talon/standard_replies__hotmail.eml": ("Hello", "Hello", "Subject"),
    "replies_talon/standard_replies__outlook.eml": ("Hello", "Hello", "Allan"),
    "replies_talon/standard_replies__sparrow.eml": ("Hello", "Hello", "Sparrow"),
    "replies_talon/standard_replies__thunderbird.eml": ("Hello", "Hello", "Megan"),
    "replies_zapier/correct_sig.txt": ("this is an email", "-- signature.", "rick"),
    "replies_zapier/email_1_6.txt": ("I get proper", "as well.", "magnificent"),
    "replies_zapier/email_1_8.txt": ("I will reply", "and under this.", "signature"),
    "replies_zapier/email_2_1.txt": ("Outlook with", "a reply", "Google"),
    "replies_zapier/email_BlackBerry.txt": ("Here is", "another email", "BlackBerry"),
    "replies_zapier/email_bullets.txt": ("test 2 this", "and another", "Joe Smith"),
    "replies_zapier/email_gmail.txt": ("This is a test", "github message.", "outdated"),
    "replies_zapier/email_headers_no_delimiter.txt": ("And another", "reply!", "Watson"),
    "replies_zapier/email_one_is_not_on.txt": ("Thank, this", "when I run...", "good news"),
    "replies_zapier/email_sent_from_my_not_signature.txt": ("Here is", "mobile phone.", "\0"),
    "replies_zapier/email_sig_delimiter_in_middle_of_line.txt": ("Hi there!", "kthxbai", "\0"),
}


def body(path: Path) -> str:
    if path.suffix != ".eml":
        return path.read_text(encoding="utf-8")
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    return message.get_body(("plain",)).get_content()


def wrong(name: str) -> str:
    first, last, gone = EXPECTED[name]
    own = split(body(MAIL / name)).own_text
    right = own.startswith(first) and own.endswith(last) and gone not in own
    return "" if right else f"{name}: {own[:60]!r} ... {own[-60:]!r}"


def test_reply_corpora():
    faults = [line for line in map(wrong, EXPECTED) if line]
    rate = 1 - len(faults) / len(EXPECTED)
    print(f"\nreplies: {len(EXPECTED)} messages, {rate:.1%} split right", *faults, sep="\n  ")
    assert rate >= 0.93

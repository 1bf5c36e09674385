"""Every group of word rules by name; the decision is made in kind."""

from __future__ import annotations

from soloist.plugins.skills._words import Rule
from soloist.plugins.skills._words_clients import BILLING, CONTINUES, SCHEDULING, SUPPORT
from soloist.plugins.skills._words_enquiry import ENQUIRY
from soloist.plugins.skills._words_unwanted import BULK, NOTICE, PITCH, SCAM

TABLE: dict[str, tuple[Rule, ...]] = {
    "enquiry": ENQUIRY,
    "pitch": PITCH,
    "scam": SCAM,
    "bulk": BULK,
    "notice": NOTICE,
    "billing": BILLING,
    "scheduling": SCHEDULING,
    "support": SUPPORT,
    "continues": CONTINUES,
}

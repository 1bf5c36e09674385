"""The skill ``contact``; how it is done stands in ``_contact``, which other skills share."""

from __future__ import annotations

from soloist.plugins.skills._contact import In, Out, read_contact
from soloist.sdk import skill

__all__ = ["contact"]


@skill("contact", version="1")
def contact(value: In) -> Out:
    """Read name, company, telephone and web addresses of a sender."""
    return Out(
        contact=read_contact(
            value.text, value.signature, value.sender_name, value.region, value.sender_address, language=value.language
        )
    )

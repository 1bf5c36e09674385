"""The answers written by hand for the sample company fit what the writer asks; any other mail gets a template."""

from __future__ import annotations

import email
import email.policy
import tomllib
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from pydantic import ValidationError

from soloist.cli import sample
from soloist.flows.modelling import Modelling
from soloist.kernel.model_settings import ModelPart
from tests.flows.by_step import Shop
from tests.flows.conftest import mail

PART = ModelPart.model_validate(tomllib.loads((sample.HERE / "model.toml").read_text("utf-8"))["models"]["demo"])


def sampled(path: Path) -> EmailMessage:
    text = sample.render(path.read_text(encoding="utf-8"), datetime.now(UTC))
    found = email.message_from_bytes(text.encode(), policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


async def test_each_answer_stands_in_the_draft_of_its_mail(shop: Shop):
    shop.desk.models.parts = {"demo": PART}
    for path in sample.mails():
        await shop.take_in(sampled(path))
    bodies = [row["payload"]["body"] for row in shop.rows("proposals", noun="effect")]
    for one in PART.answers:
        first = str(one.answer["text"]).strip().splitlines()[0]
        assert any(first in body for body in bodies), (one.when, [row["said"] for row in shop.rows("model_calls")])
    calls = shop.rows("model_calls")
    assert [row["state"] for row in calls] == ["answered"] * len(PART.answers)
    assert {row["cost_micro"] for row in calls} == {0}
    assert {row["author"] for row in shop.rows("recordings")} == {"recorded/hand-written"}


async def test_to_another_mail_the_template_answers_and_says_why(shop: Shop):
    shop.desk.models.parts = {"demo": PART}
    found = await shop.proposed(mail(subject="Neue Seite", ident="other@carter-bakery.example"))
    assert "A website with up to 6 pages takes about six weeks" in found["payload"]["body"]
    (call,) = shop.rows("model_calls")
    assert (call["state"], call["fault"], call["cost_micro"]) == ("failed", "refused", 0)
    assert call["said"] == "Nobody wrote an answer to this: hand-written has 6 answers."
    (line,) = Modelling(shop.desk).lines()
    assert (line.kind, line.model, line.host, line.trouble) == ("recorded", "hand-written", "soloist.toml", "")


@pytest.mark.parametrize("given", [{"kind": "recorded", "model": "x"}, {"model": "x", "answers": [{"when": "a b"}]}])
def test_answers_and_the_kind_belong_together(given: dict[str, object]):
    with pytest.raises(ValidationError, match=r"answers"):
        ModelPart.model_validate(given)

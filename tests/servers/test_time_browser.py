"""The pages of the operator's time in Chromium: a sitting by keys, several cards without scripts, what is new."""

from __future__ import annotations

from dataclasses import replace

import pytest

from soloist.insight import diff, views
from tests.servers import serving
from tests.servers.test_console_browser import desk, listened, opened

__all__ = ["desk"]
pytestmark = pytest.mark.servers


def test_a_sitting_goes_by_keys(browser, desk):
    page = opened(browser, desk[0])
    page.goto(desk[0] + "/review")
    page.click("text=15 minutes")
    page.wait_for_url("**/review?sitting=115")
    page.keyboard.press("e")
    page.wait_for_selector("textarea")
    page.locator("textarea").fill("Dear Ada, yes.")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("ins")
    page.keyboard.press("a")
    page.wait_for_selector(".toast")
    page.wait_for_url("**/review?sitting=115&done=c1")
    assert desk[1].decided[0][1].edits == {"text": "Dear Ada, yes."}
    page.keyboard.press("u")
    page.wait_for_selector(".toast.warn")
    assert "/review?sitting=115" in page.url
    assert page.faults == []


def test_on_a_phone_a_sitting_says_how_far_it_is_and_keeps_the_actions_in_reach(browser, desk):
    page = opened(browser, desk[0], 390)
    page.goto(desk[0] + "/review?sitting=115")
    assert page.locator("text=2 decided, 3 to go").is_visible()
    box = page.locator(".actions button.go").bounding_box()
    assert box is not None
    assert box["height"] >= 48
    assert box["y"] + box["height"] <= 900


def test_several_cards_are_decided_without_scripts_by_what_was_ticked(browser, desk):
    page = opened(browser, desk[0], script=False)
    page.goto(desk[0] + "/together/c1")
    assert page.locator("[name=item]:checked").count() == 0
    page.check("#item-c2 [name=item]")
    serving.followed(page, "text=Approve what is ticked")
    assert desk[1].time.decided == [({"c2": desk[1].sheets["c2"].payload_hash}, "approve", False)]
    assert "Not decided" in page.inner_text("main")


def test_what_is_new_since_the_last_look_stands_above_the_card(browser, desk):
    page = opened(browser, desk[0])
    moved = diff.field("Text", "Dear Ada, no.", "Dear Ada, yes.")
    desk[1].time.news = views.Changed("Since you last looked: the draft is another one.", (moved,))
    page.goto(desk[0] + "/?card=c1")
    page.wait_for_selector(".changed ins")
    assert "the draft is another one" in page.inner_text(".changed")


def test_a_card_of_a_bundle_leads_to_all_of_them_and_cannot_be_approved_alone(browser, desk):
    desk[1].sheets["c2"] = replace(desk[1].sheets["c2"], bundle=2)
    page = opened(browser, desk[0])
    page.goto(desk[0] + "/?card=c2")
    page.keyboard.press("a")
    page.wait_for_timeout(200)
    assert desk[1].decided == []
    page.click("text=Look at all 2 and decide")
    page.wait_for_url("**/together/c2")
    assert page.locator("text=Approve all 2").is_visible()


def test_a_page_that_refreshes_itself_is_no_look(browser, desk):
    page = opened(browser, desk[0])
    page.goto(desk[0] + "/?card=c1")
    listened(desk)
    looks = len(desk[1].time.opens)
    del desk[1].sheets["c4"]
    desk[1].tell("inbox")
    page.wait_for_selector("#row-c4", state="detached")
    assert len(desk[1].time.opens) == looks == 1

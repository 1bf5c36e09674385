"""The public form as strangers use it: with care, in haste, twice, and with bad intent."""

import re
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from soloist.config import Form, Server
from soloist.kernel.errors import BadConfig, SameIdOtherBody
from soloist.web.forms import MAX_BODY, PublicForms, check, snippet
from soloist.web.security import SecurityMiddleware

ADA = {"name": "Ada Okafor", "email": "ada@okafor-ceramics.example", "message": "A shop for 40 pieces.\nBy spring?"}


class Desk:
    def __init__(self):
        self.taken, self.trapped = {}, []

    async def receive_form(self, name, fields, submission_id):
        if self.taken.setdefault(submission_id, (name, fields)) != (name, fields):
            raise SameIdOtherBody

    async def form_trapped(self, name):
        self.trapped.append(name)


class Clock:
    now = 1_800_000_000.0

    def __call__(self):
        return self.now


class Visit:
    """A browser, the desk behind the form, and a clock that can be moved."""

    def __init__(self, **forms):
        self.desk, self.clock = Desk(), Clock()
        app = Starlette(routes=PublicForms(forms, b"install key", clock=self.clock).routes())
        app.state.soloist = self.desk
        wall = SecurityMiddleware(app, None, Server(public_host="hello.studio-linde.example"))
        self.client = TestClient(wall, base_url="http://hello.studio-linde.example", follow_redirects=False)

    def stamp(self, form="contact"):
        return re.search(r'name="stamp" value="([^"]+)"', self.client.get(f"/f/{form}").text)[1]

    def send(self, wait=5.0, stamp=None, form="contact", **fields):
        stamp = self.stamp() if stamp is None else stamp
        self.clock.now += wait
        return self.client.post(f"/f/{form}", data={"stamp": stamp, **ADA, **fields})


@pytest.fixture
def visit():
    return Visit(contact=Form(title="Ask Studio Linde", thanks="Thank you, Mara will answer soon."), other=Form())


def test_the_form_is_a_page_without_scripts_or_outside_addresses(visit):
    page = visit.client.get("/f/contact").text
    assert "<h1>Ask Studio Linde</h1>" in page
    assert "<script" not in page
    assert set(re.findall(r'(?:href|src|action)="([^"]+)"', page)) == {"/f/-/icon.svg", "/f/-/app.css", "/f/contact"}
    for address in ("/f/-/icon.svg", "/f/-/app.css", "/f/-/vendor/inter-latin-wght.woff2"):
        assert visit.client.get(address).status_code == 200


def test_a_message_is_taken_and_thanked_for(visit):
    answer = visit.send(phone="+49 40 123456", budget="EUR 3,000")
    assert (answer.status_code, answer.headers["location"]) == (303, "/f/contact/thanks")
    [(name, fields)] = visit.desk.taken.values()
    assert (name, fields) == ("contact", {**ADA, "phone": "+49 40 123456", "budget": "EUR 3,000"})
    assert "Thank you, Mara will answer soon." in visit.client.get("/f/contact/thanks").text


def test_pressing_send_twice_is_one_message(visit):
    stamp = visit.stamp()
    assert [visit.send(stamp=stamp).status_code for _ in range(2)] == [303, 303]
    assert len(visit.desk.taken) == 1


def test_going_back_and_changing_the_text_is_asked_about_then_taken(visit):
    stamp = visit.stamp()
    visit.send(stamp=stamp)
    again = visit.send(stamp=stamp, message="I forgot: in blue.")
    assert (again.status_code, "You already sent this form" in again.text) == (409, True)
    assert "I forgot: in blue." in again.text
    fresh = re.search(r'name="stamp" value="([^"]+)"', again.text)[1]
    assert visit.send(stamp=fresh, message="I forgot: in blue.").status_code == 303
    assert len(visit.desk.taken) == 2


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": " "}, "Name: please fill this in."),
        ({"message": ""}, "Message: please fill this in."),
        ({"email": "ada@okafor"}, "Email: this is not a complete address"),
        ({"email": "ada@okafor-ceramics.example\nBcc: all@x.example"}, "Email: this is not a complete address"),
        ({"message": "x" * 20_001}, "Message: at most 20,000 characters, this has 20,001."),
        ({"phone": "1" * 61}, "Phone: at most 60 characters, this has 61."),
    ],
)
def test_what_is_wrong_is_said_by_field_and_nothing_is_lost(visit, fields, sentence):
    answer = visit.send(company="Okafor & <b>Co</b>", **fields)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'value="Okafor &amp; &lt;b&gt;Co&lt;/b&gt;"' in answer.text
    assert visit.desk.taken == {}


@pytest.mark.parametrize(
    ("email", "good"),
    [
        ("ada@okafor-ceramics.example", True),
        ("jonas.brandt+web@brandt-physio.example", True),
        ("jörg@müller.example", True),
        ("@okafor.example", False),
        ("ada@@okafor.example", False),
        ("ada okafor@x.example", False),
        ("ada@x..example", False),
        ("<ada@x.example>", False),
        ("ada@127.0.0.1", False),
        ("a" * 65 + "@x.example", False),
    ],
)
def test_addresses_are_checked_by_their_form(email, good):
    assert ("email" not in check({**ADA, "email": email})) is good


def test_control_characters_are_dropped_and_lines_kept_in_the_message_only(visit):
    visit.send(name="Ada\r\nOkafor\x00", message="one\r\ntwo\x07\u0085three")
    [(_, fields)] = visit.desk.taken.values()
    assert (fields["name"], fields["message"]) == ("Ada Okafor", "one\ntwothree")


def test_the_trap_is_thanked_counted_and_forgotten(visit):
    answer = visit.send(website="https://quick-offers.example")
    assert answer.headers["location"] == "/f/contact/thanks"
    assert (visit.desk.taken, visit.desk.trapped) == ({}, ["contact"])


def test_too_fast_is_asked_to_wait_and_may_use_the_same_page(visit):
    stamp = visit.stamp()
    answer = visit.send(wait=1.0, stamp=stamp)
    assert (answer.status_code, "That was very fast" in answer.text) == (422, True)
    assert stamp in answer.text
    assert visit.send(wait=1.5, stamp=stamp).status_code == 303


def test_a_page_open_for_a_day_gets_a_new_stamp_and_keeps_the_text(visit):
    answer = visit.send(wait=86401)
    assert answer.status_code == 422
    assert "By spring?" in answer.text
    assert visit.desk.taken == {}


def test_a_stamp_made_elsewhere_is_not_taken(visit):
    issued, nonce, signature = visit.stamp().split(".")
    other = visit.stamp("other")
    forged = [f"{int(issued) - 1}.{nonce}.{signature}", f"{issued}.{'0' * 32}.{signature}", other, "", "a.b.c", "é.b.c"]
    assert [visit.send(stamp=stamp).status_code for stamp in forged] == [422] * 6
    assert visit.desk.taken == {}


def test_one_address_may_send_so_many_an_hour():
    visit = Visit(contact=Form(per_hour=2))
    answers = [visit.send() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [303, 303, 429]
    assert 0 < int(answers[2].headers["retry-after"]) <= 3601
    assert "By spring?" in answers[2].text
    assert len(visit.desk.taken) == 2


def test_bodies_that_are_too_long_or_no_form_are_refused_in_words(visit):
    def post(body, kind="application/x-www-form-urlencoded"):
        answer = visit.client.post("/f/contact", content=body, headers={"Content-Type": kind})
        return answer.status_code, answer.text

    status, text = post(urlencode({"message": "x" * MAX_BODY}))
    assert (status, "longer than 64 KB" in text) == (413, True)
    assert post(b"message=%ff%fe")[0] == post(b"message=\xff")[0] == 422
    assert post("&".join(f"a{n}=1" for n in range(60)))[0] == 422
    assert post('{"name": "Ada"}', "application/json")[0] == 415
    assert post("", "multipart/form-data; boundary=x")[0] == 415
    assert visit.desk.taken == {}


@pytest.mark.parametrize(
    "path", ["/f/none", "/f/contact/x", "/f/none/thanks", "/f/none/snippet", "/f/-/../render.py", "/f/"]
)
def test_there_is_nothing_else_below_f(visit, path):
    answer = visit.client.get(path)
    assert (answer.status_code, answer.text) == (404, "There is no such form.")


def test_only_the_sites_that_are_named_may_embed_a_form():
    visit = Visit(contact=Form(allowed_origins=["https://studio-linde.example"]), other=Form())
    named, other = (visit.client.get(f"/f/{name}").headers for name in ("contact", "other"))
    assert "frame-ancestors https://studio-linde.example" in named["content-security-policy"]
    assert named["cross-origin-resource-policy"] == "cross-origin"
    assert "frame-ancestors 'none'" in other["content-security-policy"]


@pytest.mark.parametrize(
    "origin", ["studio-linde.example", "https://a.example; script-src *", "*", "https://a.example/x"]
)
def test_an_origin_that_is_none_is_refused_by_name(origin):
    with pytest.raises(BadConfig, match=r"forms\.contact\.allowed_origins"):
        PublicForms({"contact": Form(allowed_origins=[origin])}, b"key")


def test_the_snippet_is_an_iframe_to_paste(visit):
    text = visit.client.get("/f/contact/snippet").text
    assert text.startswith('<iframe src="http://hello.studio-linde.example/f/contact" title="Ask Studio Linde"')
    assert "&quot;" in snippet("contact", Form(title='"'), "https://x.example")

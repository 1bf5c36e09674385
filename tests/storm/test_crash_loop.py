"""An input that ends the process each time it is read: after five ends it is set aside and the rest goes on."""

from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest

from tests.acceptance.driving import Served, token, told, until
from tests.acceptance.nursery import Nursery

pytestmark = pytest.mark.storm


def deliver(home: Path, name: str) -> None:
    """An enquiry of somebody new."""
    message = EmailMessage()
    message["From"], message["To"] = f"Nora Feld <{name}@feld-yoga.example>", "me@localhost"
    message["Subject"], message["Message-ID"] = "A new website", f"<{name}@feld-yoga.example>"
    message.set_content(
        "Hello,\n\nwe need a new website with about five pages. Our budget is 3,500 EUR.\n\nNora Feld\n"
    )
    folder = home / "mail/in"
    (folder / "new").mkdir(parents=True, exist_ok=True)
    (folder / "new" / f"{name}.eml").write_bytes(message.as_bytes())


def test_an_input_that_ends_the_process_is_set_aside(tmp_path: Path, nursery: Nursery):
    home = tmp_path / "home"
    served = Served(home, nursery=nursery)
    ends = 0
    try:
        key = token(home)
        deliver(home, "poison")
        for _ in range(8):
            served.start(ready=False, SOLOIST_FAILPOINT="before:understand")
            until(lambda: served.dead() or aside(served, key), 600, 0.1, what="an end, or the input set aside")
            if not served.dead():
                break
            ends += 1
        (failure,) = aside(served, key)
        assert "ended 5 times" in failure["why"]
        assert ends == 5
        served.kill()
        served.start()
        deliver(home, "good")
        until(lambda: waiting(served, key) == 1, what="a card for the good mail")
        (card,) = [c for c in served.every("/cards", key, state="open") if c["type"] == "failure"]
        served.ask("POST", f"/cards/{card['id']}/decision", key, json={"option": "retry"})
        until(lambda: waiting(served, key) == 2, what="a card for the input that was set aside")
        until(lambda: aside(served, key) == [], what="the failure is over")
    finally:
        served.kill()
    assert told(home, "verify")["faults"] == []
    print(
        f"P11: {ends} ends of the process in the middle of one input, then set aside; the rest went on, and so did it"
    )


def aside(served: Served, key: str) -> list[dict]:
    """Failures that are not over; none while the server does not answer."""
    headers = {"Authorization": f"Bearer {key}"}
    try:
        answer = served.client.get(f"http://127.0.0.1:{served.port}/api/v1/failures", headers=headers)
    except httpx.TransportError:
        return []
    return answer.json()["items"] if answer.status_code == 200 else []


def waiting(served: Served, key: str) -> int:
    return len(served.every("/proposals", key, state="waiting"))

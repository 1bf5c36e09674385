"""Work in plain words over the API: a sentence, what is understood, the word to begin it."""

from typing import Any

from tests.web.api.conftest import Clients


async def test_a_sentence_is_shown_and_begins_with_a_word(http: Any, clients: Clients) -> None:
    said = await http.post("/conversations", json={"said": "Who owes us money?"})
    assert said.status_code == 201, said.text
    (message,) = said.json()["messages"]
    assert (message["way"], message["agent"], message["work"]) == ("billing.owed", "billing", "")
    place = f"/conversations/{said.json()['id']}/messages"
    assert (await clients("read", "looks").put(f"{place}/{message['id']}/work", json={})).status_code == 403
    begun = await http.put(f"{place}/{message['id']}/work", json={})
    again = await http.put(f"{place}/{message['id']}/work", json={"way": "planner.plan"})
    assert (begun.status_code, again.status_code, again.json()["id"]) == (202, 200, begun.json()["id"])
    more = await http.post(place, json={"said": "What does Zebulon owe us?"})
    asked = more.json()["messages"][1]
    assert "who “Zebulon” is" in asked["asks"] and more.json()["messages"][0]["work"] == begun.json()["id"]
    refused = await http.put(f"{place}/{asked['id']}/work", json={})
    assert refused.status_code == 422 and "Zebulon" in refused.json()["detail"]
    assert (await http.put(f"/conversations/other/messages/{asked['id']}/work", json={})).status_code == 404
    (row,) = (await http.get("/conversations")).json()["items"]
    assert row["subject"] == "Who owes us money?"
    assert (await http.post("/conversations", json={"said": "x" * 700})).status_code == 422

"""The page of bills in a real home: what is due, an account confirmed, a payment matched by hand."""

from typing import Any

from soloist.engine.store import records

ACCOUNT = "DE89370400440532013000"


def entered(app, kind: str, state: str, **body: Any) -> str:
    return app.store.write_now(
        lambda tx: records.create(tx, kind, "", body, state=state, why="by hand", actor="operator")
    )


def test_an_account_is_confirmed_and_a_payment_matched_on_the_page(app, real_console):
    firm = entered(app, "company", "supplier", name="Papier <b>Voss</b>")
    money = {"minor": 11900, "currency": "EUR"}
    more = {"direction": "received", "supplier": firm, "printed_account": ACCOUNT, "due": "2020-01-01"}
    bill = entered(app, "invoice", "received", number="RE-77", amount=money, **more)
    paid = entered(app, "payment", "received", amount=money, on="2020-01-02", direction="out")
    text = real_console.get("/bills").text
    assert "RE-77" in text and "you have not confirmed it" in text and "<b>Voss</b>" not in text
    said = {"supplier": firm, "account": ACCOUNT}
    assert real_console.post("/bills/accounts", data=said).status_code == 303
    assert app.store.read_now(lambda conn: records.get(conn, bill))["body"]["pay_to"] == ACCOUNT
    assert real_console.post(f"/bills/payments/{paid}", data={"invoice": bill}).status_code == 303
    assert app.store.read_now(lambda conn: records.get(conn, bill))["state"] == "paid"
    assert real_console.post(f"/bills/payments/{paid}", data={"invoice": "x"}).status_code == 422

"""The till page: a cashier looks a coupon up, redeems it, and sees what the portal answered."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext

from integrations.sandbox import ledger
from integrations.sandbox.callbacks import ACCEPTED, GIVEN_UP, PENDING, REFUSED, SENDING, Callbacks
from integrations.sandbox.clock import now_ms
from integrations.sandbox.config import ConfigFile
from integrations.sandbox.pages.base import masked, moment, redirect, render
from integrations.sandbox.pages.terms import State, benefit, coupon_line, coupon_state, terms
from integrations.sandbox.rules import refusals
from integrations.sandbox.store import Store
from integrations.sandbox.till import Found, Order, Till
from integrations.sandbox.wire import Request, Response, Routes, number

RECENT = 8
NOW, NEVER = "now", "never"
DELAYS_SECONDS = {"10s": 10, "1m": 60, "10m": 600}


class TillPage:
    """`/till`."""

    def __init__(self, *, config: ConfigFile, store: Store, till: Till, callbacks: Callbacks) -> None:
        self.config = config
        self.store = store
        self.till = till
        self.callbacks = callbacks
        self.routes: Routes = {
            ("GET", "/till"): self.show,
            ("POST", "/till/redeem"): self.redeem,
            ("POST", "/till/send"): self.send_again,
        }

    def show(self, request: Request) -> Response:
        """The code field; with a code also its coupon and what the portal was told."""
        code = request.query.get("code", "").strip()
        context: dict[str, Any] = {"code": code, "result": request.query.get("result", "")}
        if code:
            context |= self._coupon(self.till.look_up(code), request.query.get("shop", ""))
        else:
            rows = ledger.coupon_rows(self.store, status="held", limit=RECENT)
            context["recent"] = [coupon_line(row) for row in rows]
        return render(self.config, request, "till", context)

    def redeem(self, request: Request) -> Response:
        """The cashier's button."""
        form = request.form()
        code, sending = form.get("code", "").strip(), form.get("sending", NOW)
        order = Order(
            code=code,
            shop_entity_id=form.get("shop", "").strip(),
            override=form.get("override") == "1",
            notify=sending != NEVER,
            times=2 if form.get("times") == "2" else 1,
            delay_ms=DELAYS_SECONDS[sending] * 1000 if sending in DELAYS_SECONDS else None,
        )
        if not code:
            return redirect("/till")
        outcome = self.till.redeem(order)
        result = "redeemed" if outcome.redeemed else "refused"
        return redirect("/till", {"code": code, "shop": order.shop_entity_id, "result": result})

    def send_again(self, request: Request) -> Response:
        """Send a callback once more."""
        form = request.form()
        callback_id = number(form.get("id", ""))
        if callback_id is not None:
            self.callbacks.send(callback_id)
        return redirect("/till", {"code": form.get("code", ""), "result": "sent"}, "callbacks")

    def _coupon(self, found: Found, chosen_shop: str) -> dict[str, Any]:
        shops = found.shops()
        shop = chosen_shop if chosen_shop in shops else next(iter(shops), "")
        against = refusals(coupon=found.coupon, promotion=found.promotion, shop_entity_id=shop, now_ms=now_ms())
        context: dict[str, Any] = {
            "refusals": against,
            "shops": shops,
            "shop": shop,
            "callbacks": [_callback_line(entry) for entry in self.callbacks.shown(code=found.code)],
            "effects": [
                {**dict(row), "time": moment(row["at"]), "label": effect_labels().get(row["effect"], "")}
                for row in ledger.effect_rows(self.store, code=found.code)
            ],
        }
        if found.coupon is not None and found.promotion is not None:
            context["coupon"] = {
                **coupon_line(found.coupon),
                "title": found.promotion["title"],
                "benefit": benefit(found.promotion),
                "state": coupon_state(found.coupon),
                "terms": terms(found.promotion),
                "promotion_id": found.promotion["promotion_id"],
                "account": masked(found.coupon["app_key"]),
            }
        return context


def callback_states() -> dict[str, State]:
    """What the portal made of a callback."""
    return {
        PENDING: State(gettext("will be sent again"), "warn"),
        SENDING: State(gettext("being sent"), "plain"),
        ACCEPTED: State(gettext("accepted"), "good"),
        REFUSED: State(gettext("refused"), "bad"),
        GIVEN_UP: State(gettext("given up"), "bad"),
    }


def effect_labels() -> dict[str, str]:
    """What happened to a coupon."""
    return {
        "delivered": gettext("delivered to the customer"),
        "verified": gettext("redeemed online"),
        "redeemed": gettext("redeemed at the till"),
        "withdrawn": gettext("withdrawn from the customer"),
        "transferred": gettext("given to another customer"),
        "killed": gettext("ended with its promotion"),
    }


def _callback_line(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        **entry,
        "state": callback_states()[entry["status"]],
        "created": moment(entry["created_at"]),
        "answered": moment(entry["answered_at"]),
        "next": moment(entry["next_at"]),
        "milliseconds": round(entry["milliseconds"] or 0),
    }

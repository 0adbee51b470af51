"""The till: looks a coupon up, takes it in, and tells the portal by the redemption callback.

The till page and the control API both act through here, so a test does what a cashier does.
"""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from integrations.sandbox.callbacks import Callbacks
from integrations.sandbox.clock import now_ms
from integrations.sandbox.config import ConfigFile
from integrations.sandbox.effects import record
from integrations.sandbox.promotions import chain_shops
from integrations.sandbox.router import VERIFY, VERSION
from integrations.sandbox.rules import Refusal, refusals
from integrations.sandbox.store import Store

CHANGE_PUSH = "dfire.shop.promotion.change.push"
MOST_TIMES = 50


@dataclass(frozen=True, slots=True)
class Order:
    """What the cashier does: redeem this code, and how the portal hears of it. Times in ms."""

    code: str
    shop_entity_id: str = ""
    override: bool = False
    notify: bool = True
    times: int = 1
    delay_ms: int | None = None
    timestamp_offset_ms: int = 0
    forge: bool = False
    as_document: bool = False
    app_key: str = ""
    promotion_id: str = ""
    openid: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A coupon as the till sees it."""

    code: str
    coupon: sqlite3.Row | None
    promotion: sqlite3.Row | None

    def shops(self) -> list[str]:
        """The shops where it can be handed in, the most likely one first."""
        if self.coupon is None or self.promotion is None:
            return []
        named = chain_shops(self.promotion)
        if named:
            return named
        return list(dict.fromkeys([self.coupon["entity_id"], self.promotion["entity_id"]]))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an order: redeemed or why not, and the callbacks that were made."""

    redeemed: bool
    refusals: list[Refusal] = field(default_factory=list)
    callbacks: list[int] = field(default_factory=list)


class Till:
    """One till for all shops."""

    def __init__(self, *, config: ConfigFile, store: Store, callbacks: Callbacks) -> None:
        self.config = config
        self.store = store
        self.callbacks = callbacks

    def look_up(self, code: str) -> Found:
        """The coupon of a code, as far as the till knows it."""
        coupon = self.store.row("SELECT * FROM coupons WHERE code = ?", [code])
        if coupon is None:
            return Found(code, None, None)
        promotion = self.store.row(
            "SELECT * FROM promotions WHERE app_key = ? AND promotion_id = ?",
            [coupon["app_key"], coupon["promotion_id"]],
        )
        return Found(code, coupon, promotion)

    def redeem(self, order: Order) -> Outcome:
        """Redeem and notify. A forged order redeems nothing: it is the message of someone without the key."""
        with self.store.locked() as db:
            found = self.look_up(order.code)
            shop = order.shop_entity_id or next(iter(found.shops()), "")
            against = refusals(coupon=found.coupon, promotion=found.promotion, shop_entity_id=shop, now_ms=now_ms())
            if against and not order.override and not order.forge:
                return Outcome(redeemed=False, refusals=against)
            if not order.forge:
                self._take_in(db, found, order)
        callbacks = self._notify(found, order, shop) if order.notify else []
        return Outcome(redeemed=not order.forge, refusals=against, callbacks=callbacks)

    def _take_in(self, db: sqlite3.Connection, found: Found, order: Order) -> None:
        coupon = found.coupon
        if coupon is not None:
            db.execute(
                "UPDATE coupons SET status = 'used', used_at = ?, used_by = 'till', redeemed = redeemed + 1"
                " WHERE code = ?",
                [now_ms(), order.code],
            )
        record(
            db,
            {"method": "till"},
            effect="redeemed",
            app_key=coupon["app_key"] if coupon else order.app_key,
            promotion_id=coupon["promotion_id"] if coupon else order.promotion_id,
            code=order.code,
            openid=coupon["openid"] if coupon else order.openid,
        )

    def _notify(self, found: Found, order: Order, shop: str) -> list[int]:
        app_key, params = self._message(found, order, shop)
        made = [
            self.callbacks.enqueue(
                code=order.code, app_key=app_key, params=params, forged=order.forge, delay_ms=order.delay_ms
            )
            for _ in range(order.times)
        ]
        if order.delay_ms is None:
            with ThreadPoolExecutor(max_workers=min(order.times, MOST_TIMES)) as pool:
                list(pool.map(self.callbacks.send, made))
        return made

    def _message(self, found: Found, order: Order, shop: str) -> tuple[str, dict[str, str]]:
        """The account whose message it is, and the parameters of the seed's section 9."""
        coupon, promotion = found.coupon, found.promotion
        accounts = self.config.current().accounts
        if coupon is not None and promotion is not None:
            app_key, promotion_id, openid = coupon["app_key"], coupon["promotion_id"], coupon["openid"]
            brand, plate = promotion["entity_id"], promotion["plate_entity_id"]
        else:
            app_key = order.app_key or (accounts[0].app_key if accounts else "")
            promotion_id, openid, brand, plate = order.promotion_id, order.openid, shop, shop
        return app_key, {
            "appKey": app_key,
            "timestamp": str(now_ms() + order.timestamp_offset_ms),
            "v": VERSION,
            "method": VERIFY if order.as_document else CHANGE_PUSH,
            "entityId": shop,
            "promotionId": promotion_id,
            "openid": openid,
            # The document's sample prints a newline and a blank in front of the code.
            "thirdDeliverCode": f"\n {order.code}" if order.as_document else order.code,
            "brandEntityId": brand,
            "plateEntityId": plate,
        }

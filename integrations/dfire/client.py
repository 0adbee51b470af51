"""The eight calls of dfire's coupon API (seed 003 §1–8) as typed methods.

One client serves one account and is shared by threads. Each method names its arguments, returns a Reply
and raises a DfireError whose class says what to do next; blank required arguments are a ValueError.
"""

import time
from collections.abc import Callable
from datetime import date
from types import TracebackType
from typing import Self, TypeVar

from . import methods, reading
from .envelope import Envelope
from .errors import EmptyError, TransferMethodError
from .exchange import Reply
from .gateway import Gateway
from .params import required, save_params, wire_date, wire_fen
from .terms import PromotionTerms
from .transport import Transport
from .values import CustomerPromotion, Delivery, Promotion, local_date

T = TypeVar("T")


class DfireClient:
    """dfire's coupon API for one account."""

    def __init__(
        self,
        base_url: str,
        app_key: str,
        app_secret: str,
        *,
        timeout_seconds: float = 5,
        pool_size: int = 16,
        transfer_method: str = "",
        ca_bundle: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Raise ValueError for settings that cannot work.

        `timeout_seconds` bounds a whole call, `ca_bundle` is a file of certificates to trust in place of
        the public ones, `clock` gives epoch seconds.
        """
        self._transfer_method = transfer_method.strip()
        self._clock = clock
        self._gateway = Gateway(
            base_url=base_url,
            app_key=app_key,
            app_secret=app_secret,
            timeout_seconds=timeout_seconds,
            transport=Transport(pool_size=pool_size, ca_bundle=ca_bundle),
            clock=clock,
        )

    def query_promotions(self, *, entity_id: str, plate_entity_id: str) -> Reply[list[Promotion]]:
        """List the promotions of a shop or chain; it has no paging. Serves as the connection test too."""
        params = required(entityId=entity_id, plateEntityId=plate_entity_id)
        return self._list(methods.QUERY_PROMOTIONS, params, reading.read_promotions)

    def deliver_promotion(
        self,
        *,
        entity_id: str,
        plate_entity_id: str,
        promotion_id: str,
        appid: str,
        openid: str,
        mobile: str,
        code: str,
    ) -> Reply[Delivery]:
        """Give the coupon `code` to a customer; DeliveryRefusedError when dfire declined to."""
        params = required(
            entityId=entity_id,
            plateEntityId=plate_entity_id,
            promotionId=promotion_id,
            appid=appid,
            openid=openid,
            mobile=mobile,
            thirdDeliverCode=code,
        )
        return self._gateway.call(methods.DELIVER_PROMOTION, params, reading.read_delivery)

    def query_customer_promotions(
        self, *, entity_id: str, plate_entity_id: str, appid: str, openid: str, on: date | None = None
    ) -> Reply[list[CustomerPromotion]]:
        """List a customer's coupons; `on` is a Shanghai date, today's by default."""
        params = required(entityId=entity_id, plateEntityId=plate_entity_id, appid=appid, openid=openid)
        params["currDate"] = wire_date(on or local_date(self._clock()))
        return self._list(methods.QUERY_CUSTOMER_PROMOTIONS, params, reading.read_customer_promotions)

    def save_promotion(self, *, terms: PromotionTerms) -> Reply[str]:
        """Create or replace a promotion; the value is dfire's own id of it."""
        return self._gateway.call(methods.SAVE_PROMOTION, save_params(terms), reading.read_saved_id)

    def verify_promotion(
        self,
        *,
        entity_id: str,
        plate_entity_id: str,
        promotion_id: str,
        appid: str,
        openid: str,
        code: str,
        order_id: str,
        order_date: date,
        paid_fen: int,
        saved_fen: int,
        mobile: str = "",
    ) -> Reply[None]:
        """Spend a coupon on an order of that Shanghai date; `paid_fen` is what remained to pay."""
        params = required(
            entityId=entity_id,
            plateEntityId=plate_entity_id,
            promotionId=promotion_id,
            appid=appid,
            openid=openid,
            thirdDeliverCode=code,
            orderId=order_id,
        )
        if mobile:
            params["mobile"] = mobile
        params["orderDate"] = wire_date(order_date)
        params["needFee"] = wire_fen("paid_fen", paid_fen)
        params["savedFee"] = wire_fen("saved_fen", saved_fen)
        return self._gateway.call(methods.VERIFY_PROMOTION, params, reading.read_done)

    def delete_promotion(self, *, entity_id: str, plate_entity_id: str, promotion_id: str) -> Reply[None]:
        """Delete a promotion, and with it the coupons of it that are still held."""
        params = required(entityId=entity_id, plateEntityId=plate_entity_id, promotionId=promotion_id)
        return self._gateway.call(methods.DELETE_PROMOTION, params, reading.read_done)

    @property
    def can_transfer(self) -> bool:
        """Whether the account names a transfer method that is none of the other methods."""
        return methods.moves_coupons(self._transfer_method)

    def transfer_promotion(
        self,
        *,
        entity_id: str,
        plate_entity_id: str,
        promotion_id: str,
        appid: str,
        from_openid: str,
        to_openid: str,
        mobile: str,
        code: str,
    ) -> Reply[None]:
        """Move a coupon to another customer of the same account.

        TransferMethodError, with nothing sent, while the method's name is empty or another call's: the
        names that seed 003 §7 prints would delete the promotion or spend the coupon.
        """
        if not self.can_transfer:
            reason = "is another call's" if self._transfer_method else "is not set"
            raise TransferMethodError(f"this account's transfer method {reason}; nothing was sent")
        params = required(
            entityId=entity_id,
            plateEntityId=plate_entity_id,
            promotionId=promotion_id,
            appid=appid,
            fromOpenid=from_openid,
            toOpenid=to_openid,
            mobile=mobile,
            thirdDeliverCode=code,
        )
        return self._gateway.call(self._transfer_method, params, reading.read_done)

    def delete_customer_promotion(
        self,
        *,
        entity_id: str,
        plate_entity_id: str,
        promotion_id: str,
        appid: str,
        openid: str,
        mobile: str,
        code: str,
    ) -> Reply[None]:
        """Take a coupon back from a customer."""
        params = required(
            entityId=entity_id,
            plateEntityId=plate_entity_id,
            promotionId=promotion_id,
            appid=appid,
            openid=openid,
            mobile=mobile,
            thirdDeliverCode=code,
        )
        return self._gateway.call(methods.DELETE_CUSTOMER_PROMOTION, params, reading.read_done)

    def close(self) -> None:
        """Close idle connections; the client stays usable and opens new ones when it is called again."""
        self._gateway.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _list(self, method: str, params: dict[str, str], read: Callable[[Envelope], list[T]]) -> Reply[list[T]]:
        try:
            return self._gateway.call(method, params, read)
        except EmptyError as empty:
            if empty.exchange is None:  # cannot be: the gateway sets it on everything it raises
                raise
            return Reply(value=[], exchange=empty.exchange)

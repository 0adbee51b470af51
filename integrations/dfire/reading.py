"""From dfire's `model` to typed values, with nothing taken on trust.

Each reader knows its call's shapes (PROTOCOLS §1 "Response"). A `model` that fits none is an unknown
outcome after a write and a failed read otherwise. `totalRecord` is never looked at: it is 0 beside rows.
"""

from collections.abc import Iterator

from .codes import unknown_outcome
from .envelope import Envelope, as_flag, as_text
from .errors import DeliveryRefusedError, DfireError, PermanentError, error_of
from .values import CouponState, CustomerPromotion, Delivery, Promotion

_SUCCESS_CODE = "000"
_LAST_MS = 253_402_214_400_000  # the end of 9999 minus a day: later ones are no dates in any time zone
_STATES = {"1": CouponState.USED, "2": CouponState.TRANSFERRED}


def read_promotions(envelope: Envelope) -> list[Promotion]:
    """Read the list of promotions (seed 003 §1). RetryableError when a row is no object."""
    return [
        Promotion(
            id=_id(row, "id"),
            third_promotion_id=_id(row, "thirdPromotionId"),
            entity_id=_id(row, "entityId"),
            plate_entity_id=_id(row, "plateEntityId"),
            title=as_text(row.get("title")),
            start_ms=_milliseconds(row.get("startTime")),
            end_ms=_milliseconds(row.get("endTime")),
            chain_store_ids=_ids(row.get("chainStoreIds")),
        )
        for row in _rows(envelope)
    ]


def read_customer_promotions(envelope: Envelope) -> list[CustomerPromotion]:
    """Read a customer's coupons (seed 003 §3). RetryableError when any row cannot be read.

    Callers conclude from a code's absence, so an unreadable row must not just be skipped. A missing code
    is readable: such coupons were issued by dfire itself.
    """
    rows = list(_rows(envelope))
    if any(not isinstance(row.get("thirdDeliverCode"), str | int | None) for row in rows):
        raise _unreadable(writes=False)
    return [
        CustomerPromotion(
            code=_id(row, "thirdDeliverCode"),
            state=_STATES.get(_id(row, "status"), CouponState.HELD),
            openid=_id(row, "openid"),
            appid=_id(row, "appid"),
            entity_id=_id(row, "entityId"),
            plate_entity_id=_id(row, "plateEntityId"),
            brand_entity_id=_id(row, "brandEntityId"),
            promotion_customer_id=_id(row, "promotionCustomerId"),
            customer_register_id=_id(row, "customerRegisterId"),
        )
        for row in rows
    ]


def read_delivery(envelope: Envelope) -> Delivery:
    """Read what a delivery came to (seed 003 §2).

    Raises DeliveryRefusedError when `deliverSuccess` is false, UncertainError when it is not said.
    """
    row = _single(envelope.model)
    if not isinstance(row, dict):
        raise _unreadable(writes=True)
    delivered = as_flag(row.get("deliverSuccess"))
    can_deliver = as_flag(row.get("canDeliver"))
    if delivered is None:
        raise _unreadable(writes=True)
    if not delivered:
        refused = DeliveryRefusedError(f"deliverSuccess is false {envelope.message}".strip(), code=envelope.result_code)
        refused.can_deliver = can_deliver
        raise refused
    return Delivery(
        code=_id(row, "thirdDeliverCode"),
        promotion_customer_id=_id(row, "promotionCustomerId"),
        customer_register_id=_id(row, "customerregisterId"),
        promotion_id=_id(row, "promotionId"),
        name=as_text(row.get("name")),
        start_ms=_milliseconds(row.get("starttime")),
        end_ms=_milliseconds(row.get("endtime")),
        delivered_ms=_milliseconds(row.get("delivertime")),
        can_deliver=can_deliver,
    )


def read_saved_id(envelope: Envelope) -> str:
    """Read dfire's own id of a saved promotion (seed 003 §4). UncertainError when there is none."""
    value = _single(envelope.model)
    if isinstance(value, dict):
        value = value.get("id")
    saved_id = as_text(value).strip()
    if not saved_id:
        raise _unreadable(writes=True)
    return saved_id


def read_done(envelope: Envelope) -> None:
    """Read the answer of a call that says yes or no (seed 003 §5–8).

    Without a `model`, the result code 000 is a yes: it is dfire's own word for success (seed 003 §9).
    Raises PermanentError on a no, UncertainError when neither is said.
    """
    done = as_flag(_single(envelope.model))
    if done is False:
        raise PermanentError(f"dfire answered no {envelope.message}".strip(), code=envelope.result_code)
    if done is None and not (envelope.model is None and envelope.result_code == _SUCCESS_CODE):
        raise _unreadable(writes=True)


def _unreadable(*, writes: bool) -> DfireError:
    return error_of(unknown_outcome(writes=writes), "dfire's answer has a model of an unknown shape")


def _single(model: object) -> object:
    return model[0] if isinstance(model, list) and len(model) == 1 else model


def _rows(envelope: Envelope) -> Iterator[dict[str, object]]:
    """Yield the rows of a list; none when `model` is null or left out, as Java writes an absent list."""
    model = envelope.model
    rows = model if isinstance(model, list) else [] if model is None else [model]
    for row in rows:
        if not isinstance(row, dict) or not row:
            raise _unreadable(writes=False)
        yield row


def _id(row: dict[str, object], field: str) -> str:
    return as_text(row.get(field)).strip()


def _ids(value: object) -> tuple[str, ...]:
    """Read a list of ids that may also come as one id or as ids with commas between."""
    items = value if isinstance(value, list) else as_text(value, limit=65_536).split(",")
    return tuple(filter(None, (as_text(item).strip() for item in items)))


def _milliseconds(value: object) -> int | None:
    """Read epoch milliseconds, typed number or string by dfire's mood; None if they are no date."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = as_text(value).strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        return None
    return int(text) if int(text) <= _LAST_MS else None

"""The three revisions of the platform's pushes: how each names things, signs, and is answered (PROTOCOLS §2).

Everything else here speaks of "the customer" or "the least spend"; only this table knows what a revision calls it. A
push does not say which it is of: the fields that it has tell.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

SIGNATURE, SIGNATURE_TIME = "data_signature", "signature_time"


class Signed(Enum):
    """What the signature of a revision covers."""

    NOT = "nothing"
    BODY = "every field"
    TIME = "the time alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One revision: the names of its fields by what they mean, its signature, and the names of the ids answered.

    `own` are fields that no earlier revision has. A campaign runs from `starts` to `ends`; without them the coupon says
    by `expiration_type` how long it is valid.
    """

    number: int
    title: str = "coupon_name"
    least_spend: str = "min_purchase_price"
    customer: str = "identifier"
    coupon: str = "campaign_id"
    notice: str = ""
    is_campaign: bool = True
    signed: Signed
    made_template: str = "campaign_id"
    made_coupon: str = "coupon_id"
    own: frozenset[str] = frozenset()

    def made(self, name: str, value: str) -> dict[str, Any]:
        """The answer to a push that made something."""
        if self.number == 3:
            return {"return_code": "success", "return_msg": "", name: value}
        return {"result": {name: value}}

    def refused(self, code: str, message: str) -> dict[str, Any]:
        """The answer to a push that is refused: nothing in it looks like success to the platform."""
        if self.number == 3:
            return {"return_code": "fail", "return_msg": message}
        return {"error": {"code": code, "message": message}}


FIRST = Revision(
    number=1, least_spend="min_buy_price", coupon="coupon_id", is_campaign=False, signed=Signed.NOT,
    made_template="coupon_id", made_coupon="coupon_detail_id",
)  # fmt: skip
SECOND = Revision(
    number=2, signed=Signed.BODY,
    own=frozenset({
        "min_purchase_price", "coupon_limit", "campaign_id", "campaign_start_time", "campaign_end_time", SIGNATURE,
    }),
)  # fmt: skip
THIRD = Revision(
    number=3, title="campaign_name", customer="customer_identifier", notice="campaign_notice", signed=Signed.TIME,
    own=frozenset({"campaign_name", "campaign_notice", "customer_identifier", SIGNATURE_TIME}),
)  # fmt: skip
NEWEST_FIRST = (THIRD, SECOND)


def revision_of(fields: Mapping[str, Any]) -> Revision:
    """The newest revision one of whose own fields is there, not null; the first has none of its own."""
    names = {name for name, value in fields.items() if value is not None}
    return next((revision for revision in NEWEST_FIRST if not revision.own.isdisjoint(names)), FIRST)


def made_id(answer: Mapping[str, Any]) -> str:
    """The id of what a push made, from its answer of whichever revision."""
    found: Mapping[str, Any] = answer.get("result", answer)
    names = {name for revision in (FIRST, *NEWEST_FIRST) for name in (revision.made_template, revision.made_coupon)}
    return str(next(found[name] for name in names if name in found))

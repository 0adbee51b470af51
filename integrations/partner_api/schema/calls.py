"""Each call of the partner API in words: what it is for, what it takes and answers, and which refusals are its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from coupons.errors import Reason
from integrations.partner_api.coupons import Coupons, OneCoupon
from integrations.partner_api.customers import InAddress, OneCustomer
from integrations.partner_api.errors import ApiCode
from integrations.partner_api.fields import (
    CheckCall,
    CouponsQuery,
    CustomerCall,
    IssueCall,
    RedeemCall,
    RevokeCall,
    Strict,
    TemplatesQuery,
    TransferCall,
)
from integrations.partner_api.one_coupon import CheckCoupon, RevokeCoupon, TransferCoupon
from integrations.partner_api.redeeming import RedeemCoupon
from integrations.partner_api.schema import answers, examples
from integrations.partner_api.schema.refusals import Refusal
from integrations.partner_api.templates import OneTemplate, Templates
from integrations.partner_api.view import ApiView

_AT_ISSUING = (
    ApiCode.NOT_FOUND, ApiCode.UNKNOWN_CUSTOMER, ApiCode.AMBIGUOUS_CUSTOMER, Reason.TEMPLATE_NOT_PUBLISHED,
    Reason.TEMPLATE_OVER, Reason.OUT_OF_STOCK, Reason.OUT_OF_BUDGET, Reason.PERSON_LIMIT, Reason.PERSON_DAILY_LIMIT,
    Reason.CUSTOMER_ERASED, Reason.END_PASSED, Reason.END_BEFORE_START,
)  # fmt: skip
_AT_TRANSFERRING = (
    ApiCode.NOT_FOUND, ApiCode.UNKNOWN_CUSTOMER, Reason.CUSTOMER_ERASED, Reason.REDEEMING, Reason.REDEEMED,
    Reason.REVOKED, Reason.EXPIRED,
)  # fmt: skip
_AT_REDEEMING = (
    ApiCode.NOT_FOUND, ApiCode.ORDER_AHEAD, ApiCode.DFIRE_REFUSED, ApiCode.ORDER_UNDONE, ApiCode.ORDER_REUSED,
    Reason.REDEEMED, Reason.REDEEMING, Reason.REVOKED, Reason.EXPIRED, Reason.NOT_DELIVERED, Reason.NOT_YET_VALID,
    Reason.WRONG_WEEKDAY, Reason.OUTSIDE_HOURS, Reason.NOT_ON_THIS_DATE, Reason.EXCLUDED_DATE, Reason.WRONG_SHOP,
    Reason.BELOW_MINIMUM,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call. `answer` and `said` are the form and the meaning of its success; `refuses` what only it refuses."""

    name: str
    tag: str
    summary: str
    description: str
    answer: type[answers.Answer]
    said: str
    example: Any
    status: int = 200
    body: type[Strict] | None = None
    sent: Mapping[str, Any] = field(default_factory=dict)  # examples of the body
    query: type[Strict] | None = None
    address: type[Strict] | None = None
    refuses: tuple[Refusal, ...] = ()
    or_else: tuple[int, str, Any] | None = None  # another success: its status, meaning and example


CALLS: dict[tuple[type[ApiView], str], Call] = {
    (Templates, "GET"): Call(
        name="list_coupon_templates",
        tag="templates",
        summary="List the templates",
        description="The templates of the app's merchants, newest first.",
        query=TemplatesQuery,
        answer=answers.CouponTemplatePage,
        said="A page of templates.",
        example=examples.page(examples.TEMPLATE, "coupon-templates"),
        refuses=(ApiCode.NOT_FOUND,),
    ),
    (OneTemplate, "GET"): Call(
        name="get_coupon_template",
        tag="templates",
        summary="Read a template",
        description="One template with its terms.",
        answer=answers.CouponTemplate,
        said="The template.",
        example=examples.TEMPLATE,
        refuses=(ApiCode.NOT_FOUND,),
    ),
    (Coupons, "GET"): Call(
        name="list_coupons",
        tag="coupons",
        summary="List the coupons",
        description="The coupons of the app's merchants, newest first.",
        query=CouponsQuery,
        answer=answers.CouponPage,
        said="A page of coupons.",
        example=examples.page(examples.COUPON, "coupons"),
        refuses=(ApiCode.NOT_FOUND,),
    ),
    (Coupons, "POST"): Call(
        name="issue_coupon",
        tag="coupons",
        summary="Issue a coupon",
        description=(
            "Gives one coupon to one customer, who is named by exactly one of `identifier`, `mobile` and `openid`. An "
            "unknown `identifier` makes the customer; `delivery` is then `waiting` until `PUT customers/{identifier}/` "
            "has told mobile number and openid. An unknown `mobile` or `openid` is 404, because it may be a slip."
        ),
        status=201,
        body=IssueCall,
        sent={"identifier": examples.ISSUE, "mobile": examples.ISSUE_TO_MOBILE},
        answer=answers.Coupon,
        said="The coupon has been issued.",
        example=examples.JUST_ISSUED,
        refuses=_AT_ISSUING,
    ),
    (OneCoupon, "GET"): Call(
        name="get_coupon",
        tag="coupons",
        summary="Read a coupon",
        description="One coupon as it stands.",
        answer=answers.Coupon,
        said="The coupon.",
        example=examples.COUPON,
        refuses=(ApiCode.NOT_FOUND,),
    ),
    (CheckCoupon, "POST"): Call(
        name="check_coupon",
        tag="coupons",
        summary="Ask whether a coupon can be used",
        description="Judges the coupon by every rule and changes nothing. What is not said is not asked.",
        body=CheckCall,
        sent={"bill": examples.CHECK},
        answer=answers.Judgement,
        said="The judgement, whether or not it can be used.",
        example=examples.JUDGEMENT,
        refuses=(ApiCode.NOT_FOUND,),
    ),
    (RedeemCoupon, "POST"): Call(
        name="redeem_coupon",
        tag="coupons",
        summary="Spend a coupon on an order",
        description=(
            "Spends the coupon once, whatever tills and other callers do at the same moment, and settles it with dfire "
            "before it answers. When dfire is slow the answer is 202 after two seconds at most: nobody else can spend "
            "the coupon meanwhile, it settles by itself, and the same call again tells its present state. The same "
            "`order_id` with other amounts is 422; another order gets `redeeming` or `already_redeemed`."
        ),
        body=RedeemCall,
        sent={"order": examples.REDEEM},
        answer=answers.Coupon,
        said="The order has redeemed the coupon.",
        example=examples.SPENT,
        or_else=(202, "dfire has not answered yet: ask again in a moment.", examples.BEING_SPENT),
        refuses=_AT_REDEEMING,
    ),
    (RevokeCoupon, "POST"): Call(
        name="revoke_coupon",
        tag="coupons",
        summary="Take a coupon back",
        description="Invalid at once here, withdrawn at dfire behind it. Again gives the same answer.",
        body=RevokeCall,
        sent={"order": examples.REVOKE},
        answer=answers.Coupon,
        said="The coupon is revoked.",
        example=examples.TAKEN_BACK,
        refuses=(ApiCode.NOT_FOUND, Reason.REDEEMED, Reason.REDEEMING),
    ),
    (TransferCoupon, "POST"): Call(
        name="transfer_coupon",
        tag="coupons",
        summary="Give a coupon to another customer",
        description=(
            "The receiver, a customer of the same merchant, holds it from then on; `delivery` says how far dfire "
            "is. An unknown `to_identifier` makes the customer."
        ),
        status=202,
        body=TransferCall,
        sent={"member": examples.TRANSFER},
        answer=answers.Coupon,
        said="The receiver holds the coupon.",
        example=examples.PASSED_ON,
        refuses=_AT_TRANSFERRING,
    ),
    (OneCustomer, "PUT"): Call(
        name="put_customer",
        tag="customers",
        summary="Make a customer, or bind what is given",
        description=(
            "Makes the customer where there is none, and binds `mobile` and `openid` as far as they are given. "
            "Deliveries that waited for them go out."
        ),
        body=CustomerCall,
        sent={"bind": examples.BIND},
        address=InAddress,
        answer=answers.Customer,
        said="The customer as bound.",
        example=examples.CUSTOMER,
        refuses=(ApiCode.NOT_FOUND, Reason.OPENID_TAKEN, Reason.CUSTOMER_ERASED),
    ),
}

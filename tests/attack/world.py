"""What there is to be attacked: one merchant with a bit of everything, and another that is none of the attacker's."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone

from coupons import lifecycle, templates
from coupons.lifecycle.delivering import Holding
from coupons.models import CouponTemplate, IssuedCoupon
from integrations.models import WebhookEndpoint
from integrations.models.partners import WebhookEvent
from integrations.webhooks.signing import new_secret
from merchants.models import DfireAccount, Merchant, SmartCouponAccount
from tests.api.caller import Caller, caller_of
from tests.factories import (
    CustomerFactory,
    DfireAccountFactory,
    MerchantFactory,
    ShopFactory,
    SmartCouponAccountFactory,
    issued,
    published,
)

KEY = "developer-key-of-the-platform"
_COUNTS_AGREE = """
SELECT template.coupon_id FROM coupons_coupontemplate AS template
WHERE template.issued_count <> (
    SELECT count(*) FROM coupons_issuedcoupon AS coupon WHERE coupon.template_id = template.id
    AND coupon.status <> 'revoked'
) OR template.issued_count > template.stock
"""


@dataclass
class World:
    """`free` has plenty, `last` one left, `gone` none; `ended` is issued no more; `theirs` is another merchant's."""

    tills: DfireAccount
    platform: SmartCouponAccount
    api: Caller
    merchant: Merchant
    other: Merchant
    free: CouponTemplate
    last: CouponTemplate
    gone: CouponTemplate
    ended: CouponTemplate
    theirs: CouponTemplate
    waiting: IssuedCoupon
    held: IssuedCoupon
    revoked: IssuedCoupon
    their_coupon: IssuedCoupon

    @property
    def templates(self) -> list[str]:
        """The ids that pushes and calls may name."""
        return [one.coupon_id for one in (self.free, self.last, self.gone, self.ended, self.theirs)]

    @property
    def codes(self) -> list[str]:
        """The codes that calls may name, and one that is not there."""
        return [one.code for one in (self.waiting, self.held, self.revoked, self.their_coupon)] + ["1234567890123456"]


def build() -> World:
    """Make it."""
    tills = DfireAccountFactory(app_key="cdc08577b61942442aa89390dacb25ad", app_secret="s3cr3t-of-dfire")
    merchant = MerchantFactory(merchant_id="88", dfire_account=tills)
    other = MerchantFactory(merchant_id="99")
    ShopFactory(merchant=merchant, entity_id="00026863")
    platform = SmartCouponAccountFactory(name="maxfun", token="tok-0123456789abcdef")
    platform.merchants.add(merchant)
    api = caller_of("mini-program", merchant)
    WebhookEndpoint.objects.create(
        app=api.app, url="https://example.com/hook", secret=new_secret(), events=WebhookEvent.values
    )
    free, last = published(merchant=merchant, stock=1000), published(merchant=merchant, stock=1, per_person_limit=1)
    gone, ended, theirs = published(merchant=merchant, stock=1), published(merchant=merchant), published(merchant=other)
    holder = CustomerFactory(merchant=merchant, identifier="m-1", mobile="13800138000", openid="o-1")
    CustomerFactory(merchant=merchant, identifier="m-2", mobile="13800138002", openid="o-2")
    issued(gone, holder)
    templates.end(ended)
    waiting, held, revoked = (issued(free, holder) for _ in range(3))
    with transaction.atomic():
        lifecycle.mark_delivered(lifecycle.lock([held.pk])[0], Holding(appid="wx", openid="o-1", mobile="13800138000"))
        lifecycle.revoke(lifecycle.lock([revoked.pk])[0], reason="r", actor="staff:test")
    for one in (held, revoked):
        one.refresh_from_db()
    return World(
        tills=tills, platform=platform, api=api, merchant=merchant, other=other, free=free, last=last, gone=gone,
        ended=ended, theirs=theirs, waiting=waiting, held=held, revoked=revoked, their_coupon=issued(theirs),
    )  # fmt: skip


def demand_signatures(platform: SmartCouponAccount) -> None:
    """From here on the account takes signed pushes alone."""
    platform.developer_key, platform.require_signature = KEY, True
    platform.save()


def disagreeing() -> list[str]:
    """The templates whose count is not that of their coupons, or over their stock: there are never any."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS_AGREE)
        return [row[0] for row in cursor.fetchall()]


def ahead(**how: float) -> str:
    """A time in Shanghai as the platform writes it, ten days ahead by default."""
    from tests.hooks.helpers import in_shanghai

    return in_shanghai(timezone.now() + timedelta(**(how or {"days": 10})))

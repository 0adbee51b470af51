"""What stands beside the coupons of `filling` after a year: history, pushes, dfire's callbacks, the audit trail."""

from django.db import connection

from coupons.models import CouponEvent
from merchants.models import Merchant
from tests.factories import SmartCouponAccountFactory

_EVENTS = """
INSERT INTO coupons_couponevent (coupon_id, at, kind, actor, data)
SELECT coupon.id, happened.at, happened.kind, happened.actor, '{}' FROM coupons_issuedcoupon AS coupon,
    LATERAL (VALUES (issued_at, 'issued', 'push:1'), (redeemed_at, 'redeemed', 'dfire')) AS happened (at, kind, actor)
WHERE happened.at IS NOT NULL
"""
_PUSHES = """
INSERT INTO integrations_push (account_id, address, revision, received_at, body, status, answer, repeated, template_id,
    coupon_id, blanked_at)
SELECT %(account)s, 'coupon-detail', 2, issued_at, '', 200, '{"success": true}', false, template_id, id, now()
FROM coupons_issuedcoupon WHERE id %% 3 = 0
"""
_CALLBACKS = """
INSERT INTO integrations_dfirecallback (account_id, digest, code, promotion_id, entity_id, sent_at, received_at,
    repeats, parameters, state, suggestion, coupon_id, merchant_id, settled_at, blanked_at)
SELECT account.id, md5(coupon.code), coupon.code, '', '', redeemed_at, redeemed_at, 0, '{}', 'applied', '',
    coupon.id, merchant_id, redeemed_at, now()
FROM coupons_issuedcoupon AS coupon, (SELECT min(id) AS id FROM merchants_dfireaccount) AS account
WHERE redeemed_at IS NOT NULL
"""
_TRAIL = """
INSERT INTO merchants_auditentry (at, actor, via, address, request_id, kind, object_id, object_name, merchant_id,
    action, act, reason, changes)
SELECT issued_at, 'lili', '', '10.0.0.1', '', 'coupons.coupontemplate', template_id, '满50减10 ' || template_id,
    merchant_id, 'changed', '', '', '{"stock": [100, 200]}'
FROM coupons_issuedcoupon WHERE id %% 10 = 0
"""


def fill_history() -> None:
    """Once: for each coupon its events, for a third their push, for each redemption its callback, 10 % of changes."""
    if CouponEvent.objects.exists():
        return
    account = SmartCouponAccountFactory(name="bench")
    account.merchants.set(Merchant.objects.all())
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for statement in (_EVENTS, _PUSHES, _CALLBACKS, _TRAIL):
            cursor.execute(statement, {"account": account.pk})
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("VACUUM ANALYZE")

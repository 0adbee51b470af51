"""The rules about the coupon itself: what has become of it, whether dfire holds it, and its first and last second."""

from django.utils.translation import gettext

from coupons.choices import CouponStatus, Delivery
from coupons.errors import Reason
from coupons.rules.calendar import end_instant, first_instant
from coupons.rules.question import Question, Subject
from coupons.rules.verdicts import Rule, RuleName, fails, passes
from coupons.rules.words import moment_words


def status(subject: Subject, question: Question) -> Rule:
    """Only an issued coupon can be used. The status is today's, whatever moment is asked about."""
    name = RuleName.STATUS
    if subject.status == CouponStatus.REDEEMING:
        return fails(name, Reason.REDEEMING, gettext("It is being redeemed right now."))
    if subject.status == CouponStatus.REDEEMED:
        return fails(name, Reason.REDEEMED, _redeemed(subject))
    if subject.status == CouponStatus.REVOKED:
        if subject.ended_at is None:
            return fails(name, Reason.REVOKED, gettext("It has been revoked."))
        words = gettext("It was revoked on %(time)s.") % {"time": moment_words(subject.ended_at)}
        return fails(name, Reason.REVOKED, words)
    if subject.status == CouponStatus.EXPIRED:
        words = gettext("It has expired; its last second was %(time)s.") % {"time": moment_words(subject.valid_until)}
        return fails(name, Reason.EXPIRED, words)
    return passes(name, gettext("It has been issued and not been used."))


def delivery(subject: Subject, question: Question) -> Rule:
    """Tills take what dfire holds."""
    name = RuleName.DELIVERY
    if subject.delivery == Delivery.DELIVERED:
        if subject.delivered_at is None:
            return passes(name, gettext("dfire holds it."))
        return passes(name, gettext("dfire has held it since %(time)s.") % {"time": moment_words(subject.delivered_at)})
    if subject.delivery == Delivery.WAITING:
        words = gettext("It waits for the customer's binding; tills do not know it yet.")
    elif subject.delivery == Delivery.FAILED:
        words = gettext("Its delivery to dfire has failed; tills do not know it.")
    else:
        words = gettext("It is on its way to dfire; tills do not know it yet.")
    return fails(name, Reason.NOT_DELIVERED, words)


def valid_from(subject: Subject, question: Question) -> Rule:
    """From its first second on."""
    begins = {"time": moment_words(subject.valid_from)}
    if question.moment < first_instant(subject.valid_from):
        words = gettext("It begins on %(time)s, later than the moment asked about.") % begins
        return fails(RuleName.VALID_FROM, Reason.NOT_YET_VALID, words)
    return passes(RuleName.VALID_FROM, gettext("It is valid from %(time)s on.") % begins)


def valid_until(subject: Subject, question: Question) -> Rule:
    """To the end of its last second."""
    ends = {"time": moment_words(subject.valid_until)}
    if question.moment >= end_instant(subject.valid_until):
        words = gettext("It ended on %(time)s, before the moment asked about.") % ends
        return fails(RuleName.VALID_UNTIL, Reason.EXPIRED, words)
    return passes(RuleName.VALID_UNTIL, gettext("It is valid until %(time)s.") % ends)


def _redeemed(subject: Subject) -> str:
    if subject.redeemed_at is None:
        return gettext("It has been redeemed.")
    facts = {"time": moment_words(subject.redeemed_at), "shop": subject.redeemed_shop}
    if subject.redeemed_shop:
        return gettext("It was redeemed on %(time)s in the shop %(shop)s.") % facts
    return gettext("It was redeemed on %(time)s.") % facts

"""The rules about where and for what: shop, channel, least spend, and the dishes that only the till knows."""

from django.utils.translation import gettext

from coupons.choices import Channel
from coupons.errors import Reason
from coupons.money import yuan
from coupons.rules.question import Question, Subject
from coupons.rules.verdicts import Rule, RuleName, fails, not_asked, passes
from coupons.rules.words import listed


def shop(subject: Subject, question: Question) -> Rule:
    """The shops in which it is valid: those that its terms name, or all of its merchant's."""
    name, allowed, asked = RuleName.SHOP, subject.terms.shop_entity_ids, question.shop_entity_id
    facts = {
        "shop": subject.shop_name(asked) if asked else "",
        "shops": listed(subject.shop_name(entity_id) for entity_id in allowed),
    }
    if asked and subject.shops is not None and asked not in subject.shops and asked not in allowed:
        return fails(name, Reason.WRONG_SHOP, gettext("The merchant has no shop %(shop)s.") % facts)
    if not allowed:
        return passes(name, gettext("All shops of the merchant."))
    if not asked:
        return not_asked(name, gettext("Only in these shops: %(shops)s. No shop was named.") % facts)
    if asked in allowed:
        return passes(name, gettext("%(shop)s is one of its shops.") % facts)
    return fails(name, Reason.WRONG_SHOP, gettext("%(shop)s is not one of its shops (%(shops)s).") % facts)


def channel(subject: Subject, question: Question) -> Rule:
    """How the meal is ordered."""
    name, allowed = RuleName.CHANNEL, subject.terms.channels
    if not allowed:
        return passes(name, gettext("All channels."))
    facts = {"channels": listed(str(Channel(one).label) for one in allowed)}
    if question.channel is None:
        return not_asked(name, gettext("Only for: %(channels)s. No channel was named.") % facts)
    facts["channel"] = str(Channel(question.channel).label)
    if question.channel in allowed:
        return passes(name, gettext("It is good for: %(channel)s.") % facts)
    return fails(name, Reason.WRONG_CHANNEL, gettext("It is good for %(channels)s, not for %(channel)s.") % facts)


def least_spend(subject: Subject, question: Question) -> Rule:
    """The bill before the coupon."""
    name, least, bill = RuleName.LEAST_SPEND, subject.terms.min_spend_fen, question.amount_fen
    if not least:
        return passes(name, gettext("Any bill."))
    facts = {"least": yuan(least), "bill": yuan(bill or 0), "missing": yuan(least - (bill or 0))}
    if bill is None:
        return not_asked(name, gettext("From a bill of ¥%(least)s on. No bill was named.") % facts)
    if bill >= least:
        return passes(name, gettext("The bill of ¥%(bill)s reaches ¥%(least)s.") % facts)
    words = gettext("The bill of ¥%(bill)s is ¥%(missing)s short of ¥%(least)s.") % facts
    return fails(name, Reason.BELOW_MINIMUM, words)


def dishes(subject: Subject, question: Question) -> Rule:
    """What has been ordered is the till's to know."""
    if not subject.terms.kind_choice.is_dish:
        return passes(RuleName.DISHES, gettext("It is good for the whole bill."))
    named = {"dishes": listed(subject.terms.menu_ids)}
    words = gettext("Only with these dishes: %(dishes)s. Whether they were ordered, only the till can tell.") % named
    return not_asked(RuleName.DISHES, words)

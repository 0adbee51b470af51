"""What the rules answer: one verdict a rule, and all of them together as one judgement."""

from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from coupons.errors import Reason


class RuleName(models.TextChoices):
    """The rules, in the order in which they are judged and shown. The values are stable."""

    STATUS = "status", _("status")
    DELIVERY = "delivery", _("delivery")
    VALID_FROM = "valid_from", _("valid from")
    VALID_UNTIL = "valid_until", _("valid until")
    WEEKDAY = "weekday", _("weekdays")
    HOURS = "hours", _("hours")
    DATES = "dates", _("dates of use")
    EXCLUDED_DATES = "excluded_dates", _("excluded dates")
    SHOP = "shop", _("shop")
    CHANNEL = "channel", _("channels")
    LEAST_SPEND = "least_spend", _("least spend")
    DISHES = "dishes", _("dishes")


class Verdict(models.TextChoices):
    """What one rule says."""

    PASS = "pass", _("fits")
    FAIL = "fail", _("does not fit")
    NOT_ASKED = "not_asked", _("not asked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule's answer. `code` is the stable reason, only where it fails; `words` are in the language then active."""

    name: RuleName
    verdict: Verdict
    words: str
    code: Reason | None = None

    @property
    def fails(self) -> bool:
        """Whether it forbids the use."""
        return self.verdict is Verdict.FAIL


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """All rules about one question, in their order.

    `next_usable_at` (aware, Shanghai) is the first moment, at or after the one asked about, at which every rule of the
    clock passes: then the coupon can be used as far as days and hours go, whatever shop, channel or bill was asked
    about. None if there is none, or if the coupon's status ends its use for good.
    """

    rules: tuple[Rule, ...]
    next_usable_at: datetime | None

    @property
    def usable(self) -> bool:
        """Whether no rule forbids it. Rules that were not asked forbid nothing."""
        return not self.reasons

    @property
    def reasons(self) -> tuple[Rule, ...]:
        """The failing rules, each code once."""
        first_of_code = {rule.code: rule for rule in reversed(self.rules) if rule.fails}
        return tuple(rule for rule in self.rules if rule.fails and first_of_code[rule.code] is rule)

    def rule(self, name: RuleName) -> Rule:
        """One rule's answer."""
        return next(rule for rule in self.rules if rule.name is name)


def passes(name: RuleName, words: str) -> Rule:
    """The rule does not stand in the way."""
    return Rule(name=name, verdict=Verdict.PASS, words=words)


def fails(name: RuleName, code: Reason, words: str) -> Rule:
    """The rule forbids the use."""
    return Rule(name=name, verdict=Verdict.FAIL, words=words, code=code)


def not_asked(name: RuleName, words: str) -> Rule:
    """The rule restricts, and the question does not say enough to judge it."""
    return Rule(name=name, verdict=Verdict.NOT_ASKED, words=words)

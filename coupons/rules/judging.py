"""Every rule, in the one order in which answers, screens and logs list them, and the judgement that they make."""

from collections.abc import Callable

from coupons.choices import CouponStatus
from coupons.rules import days, place, state
from coupons.rules.calendar import next_open
from coupons.rules.question import Question, Subject
from coupons.rules.verdicts import Judgement, Rule

RULES: tuple[Callable[[Subject, Question], Rule], ...] = (
    state.status,
    state.delivery,
    state.valid_from,
    state.valid_until,
    days.weekday,
    days.hours,
    days.dates,
    days.excluded_dates,
    place.shop,
    place.channel,
    place.least_spend,
    place.dishes,
)


def judge(subject: Subject, question: Question) -> Judgement:
    """Judge every rule, also behind one that fails: who asks sees all that stands in the way at once.

    A coupon whose status is not `issued` has no next moment: it is used up, over, or in the middle of its use.
    """
    opens = None
    if subject.status == CouponStatus.ISSUED:
        opens = next_open(
            subject.terms,
            valid_from=subject.valid_from,
            valid_until=subject.valid_until,
            moment=question.moment,
        )
    return Judgement(rules=tuple(rule(subject, question) for rule in RULES), next_usable_at=opens)

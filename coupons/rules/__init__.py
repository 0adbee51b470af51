"""Whether a coupon can be used, why not, and when next: pure functions over its frozen terms and its state.

The partner API's check, the staff's page and whoever else asks get the same answer from here. Nothing in this package
reads the database; `coupons.checking` fetches what is judged.
"""

from coupons.rules.calendar import HORIZON, next_open
from coupons.rules.judging import judge
from coupons.rules.question import Question, Subject
from coupons.rules.verdicts import Judgement, Rule, RuleName, Verdict

__all__ = ["HORIZON", "Judgement", "Question", "Rule", "RuleName", "Subject", "Verdict", "judge", "next_open"]

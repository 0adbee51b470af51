"""The rules of the clock that its terms set: days of the week, hours, dates of use and excluded dates, in Shanghai."""

from django.utils.translation import gettext

from coupons.choices import Weekday
from coupons.errors import Reason
from coupons.rules.calendar import among, within_hours
from coupons.rules.question import Question, Subject
from coupons.rules.verdicts import Rule, RuleName, fails, passes
from coupons.rules.words import dates_words, hours_words, range_words, weekdays_words
from merchants.clock import SHANGHAI, local_day


def weekday(subject: Subject, question: Question) -> Rule:
    """The days of the week."""
    allowed = subject.terms.use_weekdays
    if not allowed:
        return passes(RuleName.WEEKDAY, gettext("Every day of the week."))
    day = local_day(question.moment).isoweekday()
    facts = {"day": Weekday(day).label, "days": weekdays_words(allowed)}
    if day in allowed:
        return passes(RuleName.WEEKDAY, gettext("%(day)s is one of its weekdays (%(days)s).") % facts)
    words = gettext("%(day)s is not one of its weekdays (%(days)s).") % facts
    return fails(RuleName.WEEKDAY, Reason.WRONG_WEEKDAY, words)


def hours(subject: Subject, question: Question) -> Rule:
    """The hours of the day; the last minute of a range is in it."""
    if not subject.terms.use_times:
        return passes(RuleName.HOURS, gettext("All day."))
    clock = question.moment.astimezone(SHANGHAI).strftime("%H:%M")
    facts = {"time": clock, "hours": hours_words(subject.terms.time_ranges)}
    if within_hours(subject.terms, question.moment):
        return passes(RuleName.HOURS, gettext("%(time)s is within its hours (%(hours)s).") % facts)
    return fails(RuleName.HOURS, Reason.OUTSIDE_HOURS, gettext("%(time)s is outside its hours (%(hours)s).") % facts)


def dates(subject: Subject, question: Question) -> Rule:
    """The dates of use, where some are named."""
    if not subject.terms.use_dates:
        return passes(RuleName.DATES, gettext("Every date from its first to its last."))
    ranges, day = subject.terms.date_ranges, local_day(question.moment)
    facts = {"date": day.isoformat(), "dates": dates_words(ranges, after=day)}
    if among(ranges, day):
        return passes(RuleName.DATES, gettext("%(date)s is one of its dates (%(dates)s).") % facts)
    words = gettext("%(date)s is not one of its dates (%(dates)s).") % facts
    return fails(RuleName.DATES, Reason.NOT_ON_THIS_DATE, words)


def excluded_dates(subject: Subject, question: Question) -> Rule:
    """The dates on which it may not be used."""
    name = RuleName.EXCLUDED_DATES
    if not subject.terms.blackout_dates:
        return passes(name, gettext("No date is excluded."))
    ranges, day = subject.terms.blackout_ranges, local_day(question.moment)
    if (excluded := among(ranges, day)) is not None:
        facts = {"date": day.isoformat(), "dates": range_words(excluded)}
        return fails(name, Reason.EXCLUDED_DATE, gettext("%(date)s is excluded (%(dates)s).") % facts)
    facts = {"date": day.isoformat(), "dates": dates_words(ranges, after=day)}
    return passes(name, gettext("%(date)s is not excluded (excluded: %(dates)s).") % facts)

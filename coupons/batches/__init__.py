"""Doing one thing to many coupons in the background: issuing to the customers of a file, and taking back what is out.

`making` begins a batch, `checking` looks at the file and changes nothing, `steering` is what staff say to it, `working`
carries it out slice by slice.
"""

from coupons.batches.making import (
    MOST_CUSTOMERS,
    begin_issue,
    begin_recall,
    counted_out,
    may_begin_recall,
    outstanding,
)
from coupons.batches.problems import problem_words
from coupons.batches.steering import cancel, cancel_forgotten, left_of, needed, pause, resume, start
from coupons.batches.working import work_all

__all__ = [
    "MOST_CUSTOMERS",
    "begin_issue",
    "begin_recall",
    "cancel",
    "cancel_forgotten",
    "counted_out",
    "left_of",
    "may_begin_recall",
    "needed",
    "outstanding",
    "pause",
    "problem_words",
    "resume",
    "start",
    "work_all",
]

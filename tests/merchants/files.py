"""Customer files as tests send them: begun, checked, entered."""

from typing import Any

from coupons import customer_files
from merchants.choices import Why, why_words
from merchants.models import CustomerFile, CustomerFileRow, Merchant


def checked(merchant: Merchant, text: str, *, adds: bool = True, **options: Any) -> CustomerFile:
    file = customer_files.begin(merchant, text, adds_unknown=adds, **options)
    customer_files.work_all()
    file.refresh_from_db()
    return file


def yes(file: CustomerFile, *, may_add: bool = True) -> CustomerFile:
    customer_files.start(file, may_add=may_add)
    customer_files.work_all()
    file.refresh_from_db()
    return file


def table(*rows: tuple[str, str, str]) -> str:
    return "会员标识,手机号,openid\n" + "\n".join(",".join(row) for row in rows)


def counts(file: CustomerFile) -> tuple[int, int, int, int]:
    """New, to be changed, the same, not done."""
    return (file.new, file.change, file.equal, file.bad)


def came_of_it(file: CustomerFile) -> tuple[str, int, int, int, int]:
    """The state; entered, changed, unchanged meanwhile, refused after all."""
    return (file.state, file.created, file.changed, file.same, file.refused)


def why(file: CustomerFile) -> dict[int, Why]:
    """The reasons of the rows that are not done, by their numbers."""
    return {row.number: Why(row.why) for row in file.rows.filter(verdict="bad").order_by("number")}


def reason(row: CustomerFileRow) -> str:
    return why_words(row.why, row.other)

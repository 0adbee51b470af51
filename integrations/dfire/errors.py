"""What a dfire call raises: one base, and a subclass for each remedy (PROTOCOLS §1 "Error codes").

A caller decides by class alone what happens next; codes and messages are for staff and for the record.
"""

from typing import ClassVar

from .codes import ResultClass
from .exchange import Exchange


class DfireError(Exception):
    """Base of every error of this package.

    `code` and `sub_codes` are dfire's ("" and () when it gave none), `http_status` is None when no answer
    arrived, and `exchange` is None only when nothing was tried.
    """

    result_class: ClassVar[ResultClass]

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        sub_codes: tuple[str, ...] = (),
        http_status: int | None = None,
        exchange: Exchange | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.sub_codes = sub_codes
        self.http_status = http_status
        self.exchange = exchange


class RetryableError(DfireError):
    """It did not happen, send it again after a pause; `slow_down` asks the whole account to ease off."""

    result_class = ResultClass.RETRYABLE
    slow_down: bool = False


class UncertainError(DfireError):
    """It may or may not have happened: ask dfire before sending it again."""

    result_class = ResultClass.UNCERTAIN


class ConfigurationError(DfireError):
    """Key, signature, permission, address, certificate or clock: no call works until staff mend it."""

    result_class = ResultClass.CONFIGURATION


class TransferMethodError(ConfigurationError):
    """The account has no usable transfer method; nothing was sent. Other calls are not affected."""


class PermanentError(DfireError):
    """dfire refused this very request; sending it again unchanged is pointless."""

    result_class = ResultClass.PERMANENT


class DeliveryRefusedError(PermanentError):
    """A delivery was answered `success` with `deliverSuccess` false (PROTOCOLS §1 "Response").

    `can_deliver` is dfire's word on whether this customer may receive another one, None if it gave none.
    """

    can_deliver: bool | None = None


class DuplicateError(DfireError):
    """dfire says it has this already: ask, and if it is there, it is done."""

    result_class = ResultClass.DUPLICATE


class EmptyError(DfireError):
    """dfire found nothing. The two queries turn this into an empty list."""

    result_class = ResultClass.EMPTY


_BY_CLASS: dict[ResultClass, type[DfireError]] = {
    error.result_class: error
    for error in (
        RetryableError,
        UncertainError,
        ConfigurationError,
        PermanentError,
        DuplicateError,
        EmptyError,
    )
}


def error_of(
    result_class: ResultClass,
    message: str,
    *,
    code: str = "",
    sub_codes: tuple[str, ...] = (),
    http_status: int | None = None,
    slow_down: bool = False,
) -> DfireError:
    """Return the error that stands for `result_class`; KeyError for `ok`, which is none."""
    error = _BY_CLASS[result_class](message, code=code, sub_codes=sub_codes, http_status=http_status)
    if isinstance(error, RetryableError):
        error.slow_down = slow_down
    return error

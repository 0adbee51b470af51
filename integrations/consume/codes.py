"""The platform's codes, sorted by what can be done about them (PROTOCOLS §2 "Consume report").

A report says what has happened already, so it may be repeated whenever nobody knows what became of it.
"""

from integrations.dfire.codes import ResultClass

SUCCESS = "200"
_CODES = {
    SUCCESS: ResultClass.OK,
    "VA01": ResultClass.PERMANENT,  # bad input
    "SE01": ResultClass.DUPLICATE,  # it has it already
    "SE02": ResultClass.PERMANENT,  # it knows no such coupon
    "SE03": ResultClass.CONFIGURATION,  # bad credentials
    "SE04": ResultClass.PERMANENT,  # the coupon is not this account's
    "SE05": ResultClass.RETRYABLE,  # server error
    "SE06": ResultClass.RETRYABLE,  # still calculating
}


def classify(code: str) -> ResultClass:
    """What a code of the platform's means; an unknown one says nothing."""
    return _CODES.get(code, ResultClass.UNCERTAIN)


def classify_http(status: int) -> ResultClass:
    """What an answer without a code means, by its HTTP status alone."""
    if status in (401, 403, 404):  # credentials, or an address where nobody takes reports
        return ResultClass.CONFIGURATION
    return ResultClass.RETRYABLE if status == 429 or status >= 500 else ResultClass.UNCERTAIN

"""dfire's error codes, sorted by what the caller can do about them (PROTOCOLS §1 "Error codes").

There are two namespaces that must not be mixed: the gateway's own codes ("1", "25", …, beside an
`errorToken`) and the coupon service's ("002", "009", …, in `resultCode`). "2" is not "002".
"""

from enum import StrEnum


class Fault(StrEnum):
    """What about an account's configuration dfire refuses, named for what has to be mended."""

    SECRET = "secret"  # nosec B105 # a name
    KEY = "key"
    RIGHT = "right"
    METHOD = "method"
    VERSION = "version"
    CLOCK = "clock"
    ADDRESS = "address"  # no code of dfire's: the address, the certificate or what was entered
    OTHER = "other"


class ResultClass(StrEnum):
    """How a call ended, named for the remedy."""

    OK = "ok"
    RETRYABLE = "retryable"  # nothing happened; send it again later
    UNCERTAIN = "uncertain"  # it may have happened; ask before sending again
    CONFIGURATION = "configuration"  # nothing will work until staff mend the account
    PERMANENT = "permanent"  # this request is wrong and stays wrong
    DUPLICATE = "duplicate"  # dfire says that it has it already
    EMPTY = "empty"  # dfire found nothing


_TABLE: tuple[tuple[str, str, ResultClass], ...] = (
    # gateway codes                       resultCodes                   remedy
    ("1 7 34-37", "009", ResultClass.RETRYABLE),
    ("2 3 8 22-30 38-42", "011 013", ResultClass.CONFIGURATION),
    ("4-6 9 20 21 31-33", "002 003 005 012 014-022", ResultClass.PERMANENT),
    ("", "004", ResultClass.DUPLICATE),
    ("", "001", ResultClass.EMPTY),
)

# The configuration class in detail; its other codes (40-42) have no meaning that is known.
_FAULTS: tuple[tuple[str, Fault], ...] = (
    ("24 25 011", Fault.SECRET),
    ("22 23", Fault.KEY),
    ("2 3", Fault.RIGHT),
    ("8 26 27", Fault.METHOD),
    ("28-30", Fault.VERSION),
    ("38 39 013", Fault.CLOCK),
)

_SLOW_DOWN = frozenset({"36", "37"})

# Main code 1 covers "the service is down" and "the service did not finish in time"; only this sub-code
# tells them apart, and after the second one the call may well have happened.
_TIMEOUT_SUFFIX = "-service-timeout"


def _expand(column: str) -> list[str]:
    """Spell out ranges, keeping leading zeros: "014-016" gives "014", "015", "016"."""
    codes = []
    for part in column.split():
        first, _, last = part.partition("-")
        codes += [str(number).zfill(len(first)) for number in range(int(first), int(last or first) + 1)]
    return codes


GATEWAY_CODES = {code: remedy for column, _, remedy in _TABLE for code in _expand(column)}
RESULT_CODES = {code: remedy for _, column, remedy in _TABLE for code in _expand(column)}

_FAULT_OF = {code: fault for column, fault in _FAULTS for code in _expand(column)}


def configuration_fault(code: str) -> Fault:
    """Return what has to be mended after an answer of the configuration class."""
    return _FAULT_OF.get(code, Fault.OTHER) if code else Fault.ADDRESS


def unknown_outcome(*, writes: bool) -> ResultClass:
    """Return the class of an outcome that nobody stated: ask after a write, just read again otherwise."""
    return ResultClass.UNCERTAIN if writes else ResultClass.RETRYABLE


def classify_gateway(code: str, *, sub_codes: tuple[str, ...] = (), writes: bool) -> ResultClass:
    """Return the class of a gateway error.

    A code that is not in the table may stand for anything, also for a failure after the deed: calling it
    permanent would bury a passing fault, and calling it retryable could do the thing twice. So it counts
    as an unknown outcome, and so does a write whose service ran out of time behind the gateway.
    """
    remedy = GATEWAY_CODES.get(code)
    timed_out = any(sub_code.endswith(_TIMEOUT_SUFFIX) for sub_code in sub_codes)
    if remedy is None or (remedy is ResultClass.RETRYABLE and timed_out):
        return unknown_outcome(writes=writes)
    return remedy


def classify_result(code: str, *, writes: bool) -> ResultClass:
    """Return the class of a refusal by the coupon service; a missing or unknown code says nothing."""
    return RESULT_CODES.get(code) or unknown_outcome(writes=writes)


def asks_to_slow_down(gateway_code: str) -> bool:
    """Say whether a gateway code means that this account calls too often (36 and 37)."""
    return gateway_code in _SLOW_DOWN

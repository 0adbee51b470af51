"""What schemathesis loads beside the description: it makes up the same Idempotency-Key again and again, callers do not.

Left alone, most of its bodies would be refused as another body of a known key, before they are looked at.
"""

import re
from typing import Any
from uuid import uuid4

import schemathesis

_HEADER = "Idempotency-Key"
_LONGEST = 200
_FINE = re.compile(r"[!-~]([ -~]*[!-~])?")


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Have what is sent changed: the case itself must stay as it is, or schemathesis forgets what is wrong with it."""
    kwargs["auth"] = _with_a_key_of_its_own


def _with_a_key_of_its_own(request: Any) -> Any:
    """Give a key that is well formed a beginning of its own."""
    key = request.headers.get(_HEADER)
    key = key.decode("latin-1") if isinstance(key, bytes) else key
    if key is not None and len(key) <= _LONGEST and _FINE.fullmatch(key):
        request.headers[_HEADER] = f"{uuid4().hex}{key}"
    return request

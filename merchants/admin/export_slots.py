"""How many files a web process writes at once. A file is written while it is sent, and its browser may be slow: without
a bound a few of them would hold all threads, and tills' redemptions wait."""

import threading
import weakref
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

AT_ONCE = 2  # of the four threads of a web process
_slots = threading.BoundedSemaphore(AT_ONCE)


def written_in_turn(request: HttpRequest, back: str, build: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """What `build` answers, unless enough files are being written: then a word about it, on the way to `back`.

    The place is given back once, when the response is closed: a file whose first piece was never asked for, too.
    """
    if not _slots.acquire(blocking=False):
        messages.warning(request, _("Another export is being written. Try again in a moment."))
        return HttpResponseRedirect(back)
    try:
        response: Any = build()
        release = weakref.finalize(response, _slots.release)  # at the latest when nobody knows it any more
    except BaseException:
        _slots.release()
        raise
    if response.streaming:
        response._resource_closers.append(release)
    else:
        release()
    answer: HttpResponseBase = response
    return answer

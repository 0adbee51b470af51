"""How many requests of this process may wait for dfire at once: half of its threads, so that the others are left for
everybody else. Whoever waits inside a request takes one of these places, whatever it waits for.
"""

import threading

from django.conf import settings


class Places:
    """The places of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = 0

    def take(self) -> bool:
        """Take a place if one is free; never waits. Returns whether it did."""
        with self._lock:
            if self._taken >= settings.PUSH_CONFIRM_AT_ONCE:
                return False
            self._taken += 1
            return True

    def give_back(self) -> None:
        """Give one place back."""
        with self._lock:
            self._taken -= 1


PLACES = Places()

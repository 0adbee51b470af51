"""The doorbell: tells a worker that there is something to do. It may fail; the sweep finds what it left.

With the broker down it gives up at once and stays quiet for a moment, so that no request waits for it.
"""

import logging
import time

from celery import current_app

logger = logging.getLogger(__name__)

DRAIN_TASK = "integrations.tasks.drain_outbox"
_QUIET_SECONDS = 2.0
_EXPIRES_SECONDS = 30
_quiet_until = 0.0


def ring() -> bool:
    """Ask a worker to look into the outbox. Never raises.

    Returns:
        Whether the broker took it.
    """
    global _quiet_until
    if time.monotonic() < _quiet_until:
        return False
    try:
        current_app.send_task(DRAIN_TASK, expires=_EXPIRES_SECONDS, ignore_result=True, retry=False)
    except Exception as error:  # kombu lets each transport's own errors through
        _quiet_until = time.monotonic() + _QUIET_SECONDS
        logger.warning("The broker did not take the doorbell; the sweep will find the rows. %s", error)
        return False
    return True

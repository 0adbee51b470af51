"""What the tests of alerts share."""

from datetime import timedelta

from django.utils import timezone

from integrations.alerts.notices import send_due
from integrations.models import Incident, Notice


def notices_become_due() -> None:
    """Whatever waits out its time has."""
    Notice.objects.update(due_at=timezone.now() - timedelta(seconds=1))


def send_all(rounds: int = 12) -> None:
    """Send until nothing is queued any more, however often it has to be tried."""
    for _ in range(rounds):
        notices_become_due()
        send_due()
        if not Notice.objects.filter(state="queued").exists():
            return
    raise AssertionError(list(Notice.objects.filter(state="queued").values()))


def open_kinds() -> list[tuple[str, str]]:
    """Kind and subject of the open incidents."""
    return sorted(Incident.objects.filter(closed_at=None).values_list("kind", "subject"))

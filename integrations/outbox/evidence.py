"""Which attempts may have had an effect at dfire, by their results.

An attempt without a result, a lost one, one with an unknown outcome, one that broke in our hands and one that a
restored database cannot know of may have; what dfire refused or turned away at the door has not.
"""

from django.db.models import QuerySet

from integrations.dfire.codes import ResultClass
from integrations.models import OutboxAttempt
from integrations.models.outbox import Phase

ASSUMED = "assumed"  # not seen, but possible: it would have been made after the dump that was restored
_WITHOUT_EFFECT = (ResultClass.RETRYABLE, ResultClass.CONFIGURATION, ResultClass.PERMANENT, ResultClass.EMPTY)


def may_have_happened(attempts: QuerySet[OutboxAttempt]) -> QuerySet[OutboxAttempt]:
    """Those of the attempts that were to change something and perhaps did."""
    return attempts.filter(phase=Phase.SEND).exclude(result__in=_WITHOUT_EFFECT)

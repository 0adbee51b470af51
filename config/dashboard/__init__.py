"""The first page: how it goes in the days one chooses, what nears its end, what waits for staff, and what to do first.

Everything is of the merchants that the user may see, or of the one chosen, and every number leads to exactly the rows
that it counts. The choice lies in the address, so that a page can be kept and passed on.
"""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.dashboard.choice import choice_of
from config.dashboard.figures import coupon_figures
from config.dashboard.limits import limits
from config.dashboard.notices import approvals, first_steps, incidents, stopped_accounts
from config.dashboard.waiting import inbox, sync, waiting
from config.navigation import sandbox_links


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what the first page shows to its context (Unfold's DASHBOARD_CALLBACK)."""
    choice = choice_of(request)
    sections = {
        "figures": coupon_figures(request, choice),
        "limits": limits(request, choice),
        "waiting": waiting(request, choice),
        "sync": sync(request, choice),
        "inbox": inbox(request, choice),
    }
    context.update(
        sections,
        title=_("Overview"),
        choice=choice,
        nothing=not any(sections.values()),
        stopped_accounts=stopped_accounts(request),
        incidents=incidents(request),
        approvals=approvals(request),
        first_steps=first_steps(request),
        sandbox_links=sandbox_links() if settings.DFIRE_SANDBOX else [],
    )
    return context

"""Lists in pages: newest first, each page found by the id behind which it begins, however long the list is."""

import re
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

from integrations.partner_api.errors import ApiCode, invalid
from integrations.partner_api.fields import LONGEST_PAGE

_ID = re.compile(r"[0-9]{1,18}\Z")


class Pages(CursorPagination):
    """`{"next", "previous", "results"}`; `next` and `previous` are addresses, or null. Nothing is counted."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "limit"
    max_page_size = LONGEST_PAGE

    def decode_cursor(self, request: Request) -> Any:
        """The place in the list.

        Raises:
            ValidationError: no page of this list gave this cursor.
        """
        try:
            cursor = super().decode_cursor(request)
        except NotFound:
            cursor = None
            unreadable = True
        else:
            unreadable = cursor is not None and not _is_an_id(cursor.position)
        if unreadable:
            raise invalid("cursor", ApiCode.INVALID_CURSOR, _("This is not the cursor of a page."))
        return cursor


def _is_an_id(position: object) -> bool:
    return position is None or (isinstance(position, str) and _ID.match(position) is not None)


def page_of(rows: QuerySet[Any], request: Request, shape: Any) -> dict[str, Any]:
    """The page that the request asks for, each row in its shape."""
    pages = Pages()
    found = pages.paginate_queryset(rows, request) or []
    return {
        "next": pages.get_next_link(),
        "previous": pages.get_previous_link(),
        "results": [shape(row) for row in found],
    }

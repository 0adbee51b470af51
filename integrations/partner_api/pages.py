"""Lists in pages: newest first, each page found by the id behind which it begins, however long the list is."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from integrations.partner_api.fields import LONGEST_PAGE


class Pages(CursorPagination):
    """`{"next", "previous", "results"}`; `next` and `previous` are addresses, or null. Nothing is counted."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "limit"
    max_page_size = LONGEST_PAGE

    def decode_cursor(self, request: Request) -> Cursor | None:
        """The place in the list, which `fields.PageCursor` has let through."""
        text = request.query_params.get(self.cursor_query_param)
        return Cursor(offset=0, reverse=text[0] == "p", position=int(text[1:])) if text else None

    def encode_cursor(self, cursor: Cursor) -> str:
        """The address of the page at that place. Ids are unique, so that no place needs an offset."""
        text = f"{'p' if cursor.reverse else 'n'}{cursor.position}"
        return replace_query_param(str(self.base_url), self.cursor_query_param, text)


def page_of(rows: QuerySet[Any], request: Request, shape: Any) -> dict[str, Any]:
    """The page that the request asks for, each row in its shape."""
    pages = Pages()
    found = pages.paginate_queryset(rows, request) or []
    return {
        "next": pages.get_next_link(),
        "previous": pages.get_previous_link(),
        "results": [shape(row) for row in found],
    }

"""/api/schema/ and /api/docs/: open to everyone who reaches the portal.

They are for partners, who have no account here, and say nothing that the source does not: no key, no merchant, no row.
"""

from typing import Any

from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.partner_api.schema.document import document


class SchemaView(SpectacularAPIView):
    """The description, made once a process; YAML, or JSON for those who ask for it."""

    permission_classes = (AllowAny,)

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The same for everyone, in English."""
        return Response(document())


class DocsView(SpectacularSwaggerView):
    """Swagger UI from our own static files: the page asks no other machine."""

    permission_classes = (AllowAny,)
    url_name = "api-schema"

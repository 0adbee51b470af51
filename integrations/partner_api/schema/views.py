"""/api/schema/ and /api/docs/: open to everyone who reaches the portal.

They are for partners, who have no account here, and say nothing that the source does not: no key, no merchant, no row.
"""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from integrations.partner_api.schema.document import rendered


class SchemaView(SpectacularAPIView):
    """The description; YAML, or JSON for those who ask for it. Written once a process: anybody may ask, at any pace."""

    permission_classes = (AllowAny,)

    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """The same for everyone, in English."""
        chosen = request.accepted_renderer
        return HttpResponse(rendered(type(chosen)), content_type=chosen.media_type)


class DocsView(SpectacularSwaggerView):
    """Swagger UI from our own static files: the page asks no other machine."""

    permission_classes = (AllowAny,)
    url_name = "api-schema"

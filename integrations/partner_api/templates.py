"""`coupon-templates/`: what can be issued."""

from typing import Any

from integrations.models.partners import Scope
from integrations.partner_api.errors import not_found
from integrations.partner_api.fields import TemplatesQuery, read_query
from integrations.partner_api.owned import merchant_of, templates_of
from integrations.partner_api.pages import page_of
from integrations.partner_api.shapes import template_shape
from integrations.partner_api.view import ApiView


class Templates(ApiView):
    """All of them, newest first."""

    scopes = {"GET": Scope.COUPONS_READ}

    def read(self) -> Any:
        """A page of templates."""
        asked = read_query(TemplatesQuery, self.request.query_params)
        rows = templates_of(self.app)
        if "merchant_id" in asked:
            rows = rows.filter(merchant=merchant_of(self.app, asked["merchant_id"]))
        if "status" in asked:
            rows = rows.filter(status=asked["status"])
        return page_of(rows, self.request, template_shape)


class OneTemplate(ApiView):
    """One by its coupon id."""

    scopes = {"GET": Scope.COUPONS_READ}

    def read(self) -> Any:
        """The template."""
        template = templates_of(self.app).filter(coupon_id=self.kwargs["coupon_id"]).first()
        if template is None:
            raise not_found()
        return template_shape(template)

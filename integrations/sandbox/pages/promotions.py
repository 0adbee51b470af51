"""What dfire holds: the promotions, and the coupons delivered under each."""

from __future__ import annotations

from integrations.sandbox import ledger
from integrations.sandbox.config import ConfigFile
from integrations.sandbox.pages.base import moment, render
from integrations.sandbox.pages.terms import benefit, coupon_line, dated, promotion_state, terms
from integrations.sandbox.store import Store
from integrations.sandbox.wire import Request, Response, Routes

MOST_PROMOTIONS = 200
MOST_COUPONS = 200


class PromotionsPage:
    """`/promotions`, and one of them with `?promotion_id=`."""

    def __init__(self, *, config: ConfigFile, store: Store) -> None:
        self.config = config
        self.store = store
        self.routes: Routes = {("GET", "/promotions"): self.show}

    def show(self, request: Request) -> Response:
        """The list, or one promotion."""
        wanted = request.query.get("promotion_id", "").strip()
        return self._one(request, wanted) if wanted else self._all(request)

    def _all(self, request: Request) -> Response:
        rows = ledger.promotion_rows(self.store, limit=MOST_PROMOTIONS)
        lines = [
            {
                "promotion_id": row["promotion_id"],
                "title": row["title"],
                "benefit": benefit(row),
                "dates": f"{dated(row['start_date'])} – {dated(row['end_date'])}",
                "delivered": row["delivered"],
                "total": row["total_num"],
                "state": promotion_state(row),
            }
            for row in rows
        ]
        return render(self.config, request, "promotions", {"promotions": lines, "full": len(lines) == MOST_PROMOTIONS})

    def _one(self, request: Request, promotion_id: str) -> Response:
        found = ledger.promotion_rows(self.store, promotion_id=promotion_id)
        row = found[0] if found else None
        named = row["promotion_id"] if row else "-"
        coupons = ledger.coupon_rows(self.store, promotion_id=named, limit=MOST_COUPONS)
        context = {
            "promotion_id": promotion_id,
            "promotion": row,
            "state": promotion_state(row) if row else None,
            "terms": terms(row) if row else [],
            "saved_at": moment(row["updated_at"]) if row else "",
            "coupons": [coupon_line(coupon) for coupon in coupons],
            "full": len(coupons) == MOST_COUPONS,
        }
        return render(self.config, request, "promotion", context)

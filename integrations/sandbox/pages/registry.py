"""Which page answers which address."""

from __future__ import annotations

from integrations.sandbox.callbacks import Callbacks
from integrations.sandbox.config import ConfigFile
from integrations.sandbox.consume import ConsumeReports
from integrations.sandbox.faults import Faults
from integrations.sandbox.pages.faults import FaultsPage
from integrations.sandbox.pages.overview import OverviewPage
from integrations.sandbox.pages.platform import PlatformPage
from integrations.sandbox.pages.promotions import PromotionsPage
from integrations.sandbox.pages.till import TillPage
from integrations.sandbox.push import Pushes
from integrations.sandbox.store import Store
from integrations.sandbox.till import Till
from integrations.sandbox.wire import Routes


class Pages:
    """All pages with their addresses."""

    def __init__(
        self,
        *,
        config: ConfigFile,
        store: Store,
        faults: Faults,
        till: Till,
        callbacks: Callbacks,
        pushes: Pushes,
        reports: ConsumeReports,
    ) -> None:
        self.routes: Routes = {
            **OverviewPage(config=config, store=store, faults=faults).routes,
            **TillPage(config=config, store=store, till=till, callbacks=callbacks).routes,
            **PlatformPage(config=config, pushes=pushes, reports=reports).routes,
            **PromotionsPage(config=config, store=store).routes,
            **FaultsPage(config=config, faults=faults).routes,
        }
        self.paths = {path for _, path in self.routes}

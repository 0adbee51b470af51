"""What happens to merchants' customers, for the layers above. Sent inside the transaction that makes it true."""

from django.dispatch import Signal

customers_bound = Signal()  # customers: list[Customer]; many at once, for whom Django sends no post_save

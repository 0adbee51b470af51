"""Finding customers by what staff have at hand, each kind of name by its own index."""

from django.http import HttpRequest

from merchants.erasing import of_names
from merchants.models import Customer
from merchants.models.customer import is_mobile
from merchants.scopes import visible_merchants

_MOST = 500


def customers_named(request: HttpRequest, name: str) -> list[int]:
    """The keys of the user's merchants' customers who have this identifier, openid or mobile number, at most 500.

    One who had it and has been erased is found too, by its hash: who asks again is recognised.
    """
    own = Customer.objects.filter(merchant__in=list(visible_merchants(request.user).values_list("pk", flat=True)))
    named = [own.filter(identifier=name), own.filter(openid=name)]
    named.append(own.filter(pk__in=of_names([name]).order_by().values("customer")))
    if is_mobile(name):
        named.append(own.filter(mobile=name))
    return sorted({pk for found in named for pk in found.order_by().values_list("pk", flat=True)[:_MOST]})

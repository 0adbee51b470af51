"""What is done with a merchant's customers: found, made, bound."""

from collections.abc import Collection, Iterable, Mapping

from django.db import DEFAULT_DB_ALIAS, IntegrityError, connection, transaction
from django.db.models import Q

from merchants.inserting import array, insert_like
from merchants.models import Customer, Merchant
from merchants.models.customer import is_mobile
from merchants.signals import customers_bound

_NAMED = "SELECT {column}, id FROM merchants_customer WHERE merchant_id = %s AND {column} = ANY(%s::text[]) ORDER BY id"

_TRIES = 5  # somebody else may make the same customer in between, and it may be erased again


class OpenidTaken(Exception):
    """Another customer of the merchant has this openid."""


class CustomerErased(Exception):
    """The customer has been erased in the meantime; the same identifier makes a new one."""


def find_or_create(merchant: Merchant, identifier: str) -> Customer:
    """The customer whom the merchant's membership names so; unknown ones are made (PROTOCOLS §2).

    A name that is the openid bound to a customer finds that one. A new customer named by a mobile number gets it; an
    openid comes by binding only. Inside a transaction the row stays locked to its end (`issue` need not lock it again).
    """
    for _ in range(_TRIES):
        if known := _known(merchant, identifier):
            return known
        new = Customer(merchant=merchant, identifier=identifier, mobile=identifier if is_mobile(identifier) else "")
        for (made,) in insert_like(new, {"identifier": [identifier]}, unless="merchant_id, identifier"):
            new.pk, new._state.adding, new._state.db = made, False, DEFAULT_DB_ALIAS
            return new
    raise RuntimeError(f"Whoever makes this customer takes it away again: {_TRIES} times in a row.")


def _known(merchant: Merchant, identifier: str) -> Customer | None:
    """Who has this identifier, else who has this openid."""
    named = Q(identifier=identifier) | Q(openid=identifier) if identifier else Q(identifier="")
    found = Customer.objects.filter(named, merchant=merchant).order_by("pk")
    if connection.in_atomic_block:
        found = found.select_for_update(no_key=True)
    return min(found, key=lambda one: one.identifier != identifier, default=None)


def find_named(merchant: Merchant, names: Collection[str]) -> dict[str, list[int]]:
    """Whom staff may mean by each of these names: an identifier, else a mobile number, else an openid.

    Returns:
        By name the ids: nobody, one, or several where a mobile number is several customers'.
    """
    found: dict[str, list[int]] = {name: [] for name in names}
    for column in ("identifier", "mobile", "openid"):
        for name, customer_id in _named(merchant, column, [name for name in names if name and not found[name]]):
            found[name].append(customer_id)
    return found


def create_named(merchant: Merchant, names: Collection[str]) -> dict[str, list[int]]:
    """New customers under these identifiers, as `find_named` tells them. Who was made meanwhile by others is found."""
    if not names:
        return {}
    enter_many(merchant, names)
    return {name: [customer_id] for name, customer_id in _named(merchant, "identifier", names)}


def _named(merchant: Merchant, column: str, names: Collection[str]) -> list[tuple[str, int]]:
    if column == "mobile":
        names = [name for name in names if is_mobile(name)]
    if not names:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_NAMED.format(column=column), [merchant.pk, array(list(names))])
        return cursor.fetchall()


@transaction.atomic
def bind(customer: Customer, *, openid: str | None = None, mobile: str | None = None) -> bool:
    """Give a customer an openid or a mobile number; None leaves the present one. What waited for it goes out.

    Returns:
        Whether anything changed.

    Raises:
        OpenidTaken: another customer of the merchant has it.
        CustomerErased: there is nobody to give it to.
    """
    locked = Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    if locked.erased_at is not None:
        raise CustomerErased
    if openid and Customer.objects.filter(merchant_id=locked.merchant_id, openid=openid).exclude(pk=locked.pk).exists():
        raise OpenidTaken
    wanted = {
        "openid": locked.openid if openid is None else openid,
        "mobile": locked.mobile if mobile is None else mobile,
    }
    changed = [name for name, value in wanted.items() if getattr(locked, name) != value]
    for name in changed:
        setattr(locked, name, wanted[name])
        setattr(customer, name, wanted[name])
    if changed:
        locked.save(update_fields=changed)  # whoever waits for it listens to post_save
    return bool(changed)


def enter_many(merchant: Merchant, identifiers: Iterable[str]) -> None:
    """Make the customers whom nobody knows yet, as `find_or_create` does; who is there already stays as is."""
    Customer.objects.bulk_create(
        [
            Customer(merchant=merchant, identifier=name, mobile=name if is_mobile(name) else "")
            for name in sorted(set(identifiers))  # in one order, so that two of these never wait for each other
        ],
        ignore_conflicts=True,
    )


@transaction.atomic
def bind_many(wanted: Mapping[int, Mapping[str, str]]) -> None:
    """Give many customers, by primary key, an `openid` or a `mobile` at once. What waited for them goes out.

    Raises:
        OpenidTaken: another customer of the merchant has one of them. Nothing has been changed.
        CustomerErased: there is nobody to give it to. Nothing has been changed.
    """
    locked = list(Customer.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk"))
    if len(locked) < len(wanted) or any(customer.erased_at is not None for customer in locked):
        raise CustomerErased
    for customer in locked:
        for name, value in wanted[customer.pk].items():
            setattr(customer, name, value)
    try:
        with transaction.atomic():
            Customer.objects.bulk_update(locked, ["mobile", "openid"])
    except IntegrityError:
        raise OpenidTaken from None
    customers_bound.send(Customer, customers=locked)

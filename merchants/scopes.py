"""The one question every page asks: which merchants may this member of staff see?"""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import QuerySet

from merchants.models import Merchant
from merchants.rights import administers


def visible_merchants(user: AbstractBaseUser | AnonymousUser) -> QuerySet[Merchant]:
    """All merchants for an administrator, those of the scope for other staff, none for anyone else."""
    if not (user.is_active and getattr(user, "is_staff", False)):
        return Merchant.objects.none()
    if administers(user):
        return Merchant.objects.all()
    return Merchant.objects.filter(scopes__user_id=user.pk)

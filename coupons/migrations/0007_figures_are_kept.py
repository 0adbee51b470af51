"""The database keeps the figures itself: every statement on coupons adds what it changes (`coupons.figures`)."""

from django.db import migrations

from coupons.figures import addition, contributions

_FUNCTION = """
CREATE FUNCTION coupons_figures_{when}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {statement};
    RETURN NULL;
END $$;
CREATE TRIGGER issuedcoupon_figures_{when} AFTER {event} ON coupons_issuedcoupon
    REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION coupons_figures_{when}();
"""
_NEW, _OLD = contributions("fresh"), contributions("gone", "-")
FORWARD = (
    _FUNCTION.format(when="inserted", event="INSERT", tables="NEW TABLE AS fresh", statement=addition(_NEW))
    + _FUNCTION.format(
        when="updated",
        event="UPDATE",
        tables="OLD TABLE AS gone NEW TABLE AS fresh",
        statement=addition(f"{_NEW} UNION ALL {_OLD}"),
    )
    + _FUNCTION.format(when="deleted", event="DELETE", tables="OLD TABLE AS gone", statement=addition(_OLD))
)
BACKWARD = "".join(
    f"DROP TRIGGER issuedcoupon_figures_{when} ON coupons_issuedcoupon; DROP FUNCTION coupons_figures_{when};"
    for when in ("inserted", "updated", "deleted")
)


class Migration(migrations.Migration):
    """Triggers; nothing that Django's models could say."""

    dependencies = [("coupons", "0006_many")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

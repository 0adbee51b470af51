"""The triggers of watched tables, as migrations put them on. What they call stands in merchants' migration 0007."""

from collections.abc import Sequence
from dataclasses import dataclass

KEPT = "audit_kept"  # how the trigger's name ends that refuses TRUNCATE


@dataclass(frozen=True, slots=True)
class Rows:
    """A table whose rows are objects.

    `name` and `merchant` are SQL over the row `r`, for the object's name and its merchant's key. Of `secrets` an entry
    says only that they changed. An UPDATE that sets none of `columns` and `secrets` does not wake the trigger.
    """

    table: str
    kind: str
    name: str
    columns: str
    secrets: str = ""
    merchant: str = "NULL"


@dataclass(frozen=True, slots=True)
class Links:
    """A table of a many-to-many field, told as a change of its owner's `field`.

    `select` is SQL that gives (owner's key, owner's name, name of what is linked) for each row of `links`.
    """

    table: str
    kind: str
    field: str
    select: str


def forward(watched: Sequence[Rows | Links]) -> str:
    """The statements that watch these tables. What TRUNCATE does no trigger could tell: it is refused."""
    return "\n".join(
        f"{_rows(one) if isinstance(one, Rows) else _links(one)}\n"
        f"CREATE TRIGGER {_trigger(one.table, KEPT)} BEFORE TRUNCATE ON {one.table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION merchants_audit_keep();"
        for one in watched
    )


def backward(watched: Sequence[Rows | Links]) -> str:
    """Those that stop it."""
    dropped = []
    for one in watched:
        ends = ("audit",) if isinstance(one, Rows) else ("audit_inserted", "audit_updated", "audit_deleted")
        dropped += [f"DROP TRIGGER {_trigger(one.table, end)} ON {one.table};" for end in (*ends, KEPT)]
    return "\n".join(dropped)


def _rows(one: Rows) -> str:
    columns, secrets = one.columns.split(), one.secrets.split()
    about = f"SELECT ({one.name})::text, ({one.merchant})::bigint FROM (SELECT ($1).*) r"  # nosec B608 # names of ours
    arguments = [one.kind, about, f"{{{','.join(columns)}}}", f"{{{','.join(secrets)}}}"]
    return (
        f"CREATE TRIGGER {_trigger(one.table, 'audit')} AFTER INSERT OR DELETE OR UPDATE OF"
        f" {', '.join([*columns, *secrets])} ON {one.table}"
        f" FOR EACH ROW EXECUTE FUNCTION merchants_audit_row({_quoted(arguments)});"
    )


def _links(one: Links) -> str:
    made = []
    for event, tables in (
        ("INSERT", "NEW TABLE AS fresh"),
        ("UPDATE", "OLD TABLE AS gone NEW TABLE AS fresh"),
        ("DELETE", "OLD TABLE AS gone"),
    ):
        end = f"audit_{event.lower()}{'d' if event.endswith('E') else 'ed'}"
        made.append(
            f"CREATE TRIGGER {_trigger(one.table, end)} AFTER {event} ON {one.table}"
            f" REFERENCING {tables} FOR EACH STATEMENT"
            f" EXECUTE FUNCTION merchants_audit_links({_quoted([one.kind, one.field, one.select])});"
        )
    return "\n".join(made)


def _trigger(table: str, end: str) -> str:
    return f"{table}_{end}"


def _quoted(arguments: Sequence[str]) -> str:
    return ", ".join("'" + argument.replace("'", "''") + "'" for argument in arguments)

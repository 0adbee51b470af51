"""Says whether a migration may run while the portal works: by the SQL that it sends, statement by statement.

Two things must hold on a table that was there before: nothing locks it for longer than a moment, and the code of the
last release, which runs beside the new one during an upgrade, can still read it and write to it.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import sqlparse
from django.db import connection
from django.db.migrations import Migration, RunPython
from django.db.migrations.state import ProjectState
from sqlparse.tokens import Comment, Literal

# What PostgreSQL works out once for all rows; the result of any other function is written into each of them.
_STABLE = re.compile(r"\b(?:NOW|STATEMENT_TIMESTAMP|TRANSACTION_TIMESTAMP)\s*\(\s*\)", re.IGNORECASE)
_NAME = r'(?:ONLY )?(?:IF (?:NOT )?EXISTS )?"?(?P<table>\w+)"?'

# Over at once, whatever the table's size.
_HARMLESS = re.compile(
    r"SET CONSTRAINTS|COMMENT ON|CREATE TABLE|CREATE SEQUENCE|CREATE (OR REPLACE )?FUNCTION|DROP FUNCTION|DROP SEQUENCE"
    r"|CREATE EXTENSION|DROP INDEX|CREATE (OR REPLACE )?(CONSTRAINT )?TRIGGER|DROP TRIGGER|SET LOCAL "
)
_ALTERATIONS = re.compile(
    r"\b(ADD COLUMN|ADD CONSTRAINT|VALIDATE CONSTRAINT|DROP CONSTRAINT|DROP COLUMN|RENAME"
    r"|ALTER COLUMN \S+ (?:TYPE|SET NOT NULL|DROP NOT NULL|SET DEFAULT|DROP DEFAULT))\b"
)


@dataclass
class Judge:
    """Judges one migration. `existing` are the tables of the last release, `small` those that people fill by hand."""

    existing: Collection[str]
    small: Collection[str] = ()
    atomic: bool = True
    faults: list[str] = field(default_factory=list)
    _altered: set[str] = field(default_factory=set)
    _must_keep_default: set[tuple[str, str]] = field(default_factory=set)

    def judge(self, statements: Iterable[str]) -> list[str]:
        """Why the statements may not run while the portal works; nothing if they may."""
        for script in statements:
            for statement in sqlparse.split(script):
                if plain := _plain(statement):
                    self._statement(plain)
        return self.faults

    def _statement(self, sql: str) -> None:
        if altered := re.match(rf"ALTER TABLE {_NAME} (?P<rest>.*)", sql):
            if altered["table"] in self.existing:
                self._alteration(altered["table"], altered["rest"])
        elif index := re.match(rf"CREATE (UNIQUE )?INDEX (?P<how>CONCURRENTLY )?.*? ON {_NAME}", sql):
            if not index["how"]:
                self._long(index["table"], "CREATE INDEX stops all writing: use AddIndexConcurrently")
        elif moved := re.match(rf"(UPDATE|DELETE FROM|INSERT INTO) {_NAME}", sql):
            self._long(moved["table"], "rows are moved in one go: use RunPython in batches, with atomic = False")
        elif dropped := re.match(rf"DROP TABLE {_NAME}", sql):
            self._old_code(dropped["table"], "the last release still reads this table: drop it in the next one")
        elif not _HARMLESS.match(sql) and not re.match(r"DROP INDEX CONCURRENTLY", sql):
            self.faults.append(f"not known to be harmless: {sql}")

    def _alteration(self, table: str, rest: str) -> None:
        found = _ALTERATIONS.findall(rest)
        if not found:
            self.faults.append(f"{table}: not known to be harmless: ALTER TABLE … {rest}")
        if not self.atomic and found != ["VALIDATE CONSTRAINT"]:
            self._long(table, f"{rest}: without a transaction there is no lock_timeout: an atomic migration of its own")
        for alteration in found:
            self._one(table, alteration, rest)
        self._altered.add(table)

    def _one(self, table: str, alteration: str, rest: str) -> None:
        if alteration == "ADD COLUMN":
            self._column(table, rest)
        elif alteration == "ADD CONSTRAINT" and not re.search(r" NOT VALID\b| USING INDEX ", rest):
            self._long(table, f"{rest}: reads every row: AddConstraintNotValid, then ValidateConstraint")
        elif alteration == "VALIDATE CONSTRAINT" and self.atomic and table in self._altered:
            self._long(table, "VALIDATE CONSTRAINT under the lock of an ALTER TABLE: a migration of its own")
        elif alteration == "DROP COLUMN":
            self._old_code(table, f"{rest}: the last release still reads it: drop it in the next one")
        elif alteration == "RENAME":
            self._old_code(table, f"{rest}: the last release knows the old name")
        elif alteration.endswith(" TYPE"):
            self._long(table, f"{rest}: a new type rewrites or reads every row")
        elif alteration.endswith("SET NOT NULL"):
            self._long(table, f"{rest}: reads every row: a CHECK that is NOT VALID, then ValidateConstraint")
            self._old_code(table, f"{rest}: the last release may still write none")
        elif alteration.endswith("DROP DEFAULT") and (table, alteration.split()[2]) in self._must_keep_default:
            self._old_code(table, f"{rest}: the last release inserts rows without it: use db_default")

    def _column(self, table: str, rest: str) -> None:
        name = rest.split()[2]
        default = re.search(
            r" DEFAULT (?P<value>.*?)(?= NOT NULL| NULL| CHECK| UNIQUE| CONSTRAINT| REFERENCES|$)", rest
        )
        if re.search(r" NOT NULL\b", rest):
            self._must_keep_default.add((table, name))
            if default is None and " GENERATED " not in rest:
                self._old_code(table, f"{rest}: the last release inserts rows without it: use db_default")
        if " GENERATED " in rest or (default and re.search(r"\w ?\(", _STABLE.sub("", default["value"]))):
            self._long(table, f"{rest}: its value is written into every row")
        if re.search(r" UNIQUE\b| PRIMARY KEY\b", rest):
            self._long(table, f"{rest}: builds an index: AddIndexConcurrently first")
        if " CHECK " in rest:
            self._long(table, f"{rest}: reads every row for the CHECK: AddConstraintNotValid, then ValidateConstraint")
        if default and " REFERENCES " in rest:
            self._long(table, f"{rest}: reads every row for the foreign key")

    def _long(self, table: str, why: str) -> None:
        if table in self.existing and table not in self.small:
            self.faults.append(f"{table}: {why}")

    def _old_code(self, table: str, why: str) -> None:
        if table in self.existing:
            self.faults.append(f"{table}: {why}")


def faults_of(
    migration: Migration, before: ProjectState, *, existing: Collection[str], small: Collection[str] = ()
) -> list[str]:
    """Why this migration may not run while the portal works. A waiver (`online_because`, a sentence) stands for all."""
    if getattr(migration, "online_because", ""):
        return []
    with connection.schema_editor(collect_sql=True, atomic=migration.atomic) as editor:
        migration.apply(before.clone(), editor, collect_sql=True)
    faults = Judge(existing, small, migration.atomic).judge(editor.collected_sql)
    if migration.atomic and any(isinstance(operation, RunPython) for operation in migration.operations):
        faults.append("RunPython holds its locks to the end of the migration: work in batches, with atomic = False")
    return faults


def _plain(statement: str) -> str:
    """The statement on one line, without comments, its texts replaced by '…' so that their words mean nothing."""
    (parsed,) = sqlparse.parse(statement)
    words = []
    for token in parsed.flatten():
        if token.ttype in Comment:
            words.append(" ")
        else:
            words.append("'…'" if token.ttype in (Literal, Literal.String.Single) else token.value)
    return " ".join("".join(words).split()).rstrip("; ")

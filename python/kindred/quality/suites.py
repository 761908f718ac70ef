"""The suites as data: what is expected of which table, how grave it is, and what it means.

A suite is one YAML file in this package's folder `suites/`:

- `suite`, `layer`, `about`: names and one sentence for people.
- `tables`: a list of entries with `table` (schema.name, where `kindred` stands for the marts'
  schema) or `query` (SQL that names tables as {schema.name}), `name` (of a query), `about`,
  optional `columns` (computed ones: name -> SQL), optional `fed_by` (skipped where no source
  feeds that stream), `optional: true` (skipped where the table does not exist), and `checks`.
- `each_raw_table`: `facts` (name -> SQL over one raw table) and `checks` of them, a template for
  every raw table that is there ({source}, {table}, {quoted_key}, {loaded_at_moment}, {days}).
- a check: `expect` (an expectation of Great Expectations without its `expect_`), `column`,
  `with` (its arguments), `severity` (critical, warning, info) and `meaning` in plain English.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any, Literal

import yaml

from kindred.errors import KindredError
from kindred.project import Profile, Project, RawTable, raw_tables, read_yaml, source_schema
from kindred.warehouse.database import quoted

Severity = Literal["critical", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")
LAYERS = ("raw", "streams", "identity", "marts")
# A column of any type as a moment, null where it is none: a day that exists, and a time.
_DAY = (
    "[1-9][0-9]{{3}}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    "|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    "|[1-9][0-9](?:0[48]|[2468][048]|[13579][26])-02-29"
)
_TIME = "[ T](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_MOMENT = {
    "duckdb": "try_cast(cast({} as text) as timestamp)",
    "postgres": (
        f"cast(substring(cast({{}} as text) from '^((?:{_DAY})(?:{_TIME})?)') as timestamp)"
    ),
}
_RELATION = re.compile(r"\{([a-z_]+)\.([a-z_0-9]+)\}")


@dataclass(frozen=True)
class Check:
    """One expectation, with its gravity and its meaning."""

    expectation: str
    column: str | None
    arguments: dict[str, Any]
    severity: Severity
    meaning: str

    @property
    def columns(self) -> list[str]:
        """Columns that the expectation reads."""
        listed = self.arguments.get("column_list")
        pair = [self.arguments.get("column_A"), self.arguments.get("column_B")]
        names = [self.column, *(listed or []), *pair]
        return [name for name in names if name]


@dataclass(frozen=True)
class Batch:
    """Checks of one table or query."""

    suite: str
    layer: str
    table_schema: str
    table: str
    about: str
    query: str | None
    computed: dict[str, str]
    checks: tuple[Check, ...]
    fed_by: str | None = None
    is_optional: bool = False
    reads: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """`schema.table`, as reports name it."""
        return f"{self.table_schema}.{self.table}"


@dataclass(frozen=True)
class Suite:
    """A file of checks."""

    name: str
    layer: str
    about: str
    batches: tuple[Batch, ...]
    raw_template: dict[str, Any] = field(default_factory=dict)


@cache
def shipped_suites() -> tuple[Suite, ...]:
    """The suites of this package, in the order of the layers."""
    folder = resources.files("kindred.quality") / "suites"
    found = [
        parse_suite(yaml.safe_load(path.read_text(encoding="utf-8")), path.name)
        for path in folder.iterdir()
        if path.name.endswith(".yml")
    ]
    return tuple(sorted(found, key=lambda suite: (LAYERS.index(suite.layer), suite.name)))


def parse_suite(content: dict[str, Any], file: str) -> Suite:
    """A suite from its YAML content; KindredError names the file and the entry that is wrong."""
    layer = str(content.get("layer", ""))
    if layer not in LAYERS:
        raise KindredError(f"{file}: layer '{layer}' is not one of {', '.join(LAYERS)}.")
    name = str(content["suite"])
    batches = tuple(_batch(entry, name, layer, file) for entry in content.get("tables") or [])
    return Suite(
        name,
        layer,
        str(content.get("about", "")),
        batches,
        dict(content.get("each_raw_table") or {}),
    )


def _batch(entry: dict[str, Any], suite: str, layer: str, file: str) -> Batch:
    unknown = set(entry) - {
        "table",
        "query",
        "name",
        "about",
        "columns",
        "checks",
        "fed_by",
        "optional",
    }
    if unknown:
        raise KindredError(f"{file}: unknown key {', '.join(sorted(unknown))}.")
    schema, _, table = str(entry.get("table") or f"{layer}.{entry['name']}").partition(".")
    return Batch(
        suite=suite,
        layer=layer,
        table_schema=schema,
        table=table,
        about=str(entry.get("about", "")),
        query=entry.get("query"),
        computed={str(key): str(sql) for key, sql in (entry.get("columns") or {}).items()},
        checks=tuple(_check(check, f"{file}: {table}") for check in entry["checks"]),
        fed_by=entry.get("fed_by"),
        is_optional=bool(entry.get("optional", False)),
    )


def _check(entry: dict[str, Any], where: str) -> Check:
    unknown = set(entry) - {"expect", "column", "with", "severity", "meaning", "only"}
    if unknown:
        raise KindredError(f"{where}: unknown key {', '.join(sorted(unknown))}.")
    if entry.get("severity") not in SEVERITIES:
        raise KindredError(f"{where}: severity is one of {', '.join(SEVERITIES)}.")
    if not entry.get("meaning"):
        raise KindredError(f"{where}: {entry.get('expect')} has no meaning.")
    return Check(
        expectation=str(entry["expect"]),
        column=entry.get("column"),
        arguments=dict(entry.get("with") or {}),
        severity=entry["severity"],
        meaning=str(entry["meaning"]).strip(),
    )


def batches_for(
    project: Project,
    profile: Profile,
    columns_of_raw: Callable[[str, str], Collection[str]],
    suites: Sequence[Suite] | None = None,
) -> list[Batch]:
    """Every batch to check, with the schemas of this target and one per source that is on.

    `columns_of_raw` gives the columns of a raw table (schema, name); none where it is not there.
    """
    found: list[Batch] = []
    engine = "duckdb" if profile.type == "duckdb" else "postgres"
    for suite in suites if suites is not None else shipped_suites():
        if suite.raw_template:
            found += [
                batch
                for source in project.sources
                if (batch := _raw_batch(project, suite, source, columns_of_raw, engine)) is not None
            ]
        found += [in_target(batch, profile) for batch in suite.batches]
    return found


def in_target(batch: Batch, profile: Profile) -> Batch:
    """The batch with the schemas of the target; `kindred` stands for the marts' schema."""

    def placed(schema: str, name: str) -> tuple[str, str]:
        return (profile.schema if schema == "kindred" else profile.schema_of(schema), name)

    if batch.query is None:
        here = placed(batch.table_schema, batch.table)
        return replace(batch, table_schema=here[0], reads=(here,))
    reads = tuple(placed(*pair) for pair in _RELATION.findall(batch.query))
    query = _RELATION.sub(lambda found: quoted(*placed(*found.groups())), batch.query)
    return replace(batch, query=query, reads=reads)


def _raw_batch(
    project: Project,
    suite: Suite,
    source: str,
    columns_of_raw: Callable[[str, str], Collection[str]],
    engine: str,
) -> Batch | None:
    """The facts of all raw tables of a source in one row, and their checks."""
    schema = source_schema(project, source)
    freshness = _freshness(project, source)
    parts: list[str] = []
    checks: list[Check] = []
    for table in raw_tables(project, source):
        have = {name.lower() for name in columns_of_raw(schema, table.name)}
        if not have:
            continue
        values = _template_values(table, have, freshness.get(table.name), engine)
        facts = {
            name: sql
            for name, sql in suite.raw_template["facts"].items()
            if not _lacks_value(sql, values)
        }
        columns = ", ".join(
            f"{_filled(sql, values)} as {quoted(f'{table.name}.{name}')}"
            for name, sql in facts.items()
        )
        parts.append(f"(select {columns} from {quoted(schema, table.name)})")  # noqa: S608
        for entry in suite.raw_template["checks"]:
            is_wanted = entry.get("only") != "required" or table.is_required
            if is_wanted and entry["column"] in facts and not _lacks_value(entry, values):
                check = _check(_filled(entry, values), f"raw: {table.name}")
                checks.append(replace(check, column=f"{table.name}.{check.column}"))
    if not checks:
        return None
    return Batch(
        suite=suite.name,
        layer=suite.layer,
        table_schema=schema,
        table="raw tables",
        about=f"The tables of {source} as they were loaded.",
        query=f"select * from {' cross join '.join(parts)}",  # noqa: S608 - quoted names
        computed={},
        checks=tuple(checks),
    )


def _template_values(
    table: RawTable, have: set[str], freshness: tuple[str, float] | None, engine: str
) -> dict[str, Any]:
    """What fills the template for a table; a value that is not known is None."""
    keys = [column.name for column in table.columns if column.is_required]
    key = keys[0] if keys and keys[0].lower() in have else None
    loaded_at, days = freshness or (None, None)
    if loaded_at is None or loaded_at.lower() not in have:
        loaded_at = None
    return {
        "source": table.source,
        "table": table.name,
        "quoted_key": quoted(key) if key else None,
        "loaded_at_moment": _MOMENT[engine].format(quoted(loaded_at)) if loaded_at else None,
        "days": int(days) if days is not None and days == int(days) else days,
    }


def _lacks_value(template: Any, values: dict[str, Any]) -> bool:
    text = str(template)
    return any(value is None and "{" + name + "}" in text for name, value in values.items())


def _filled(value: Any, values: dict[str, Any]) -> Any:
    """A template entry with its {names} filled in; a text that is one name keeps the type."""
    if isinstance(value, dict):
        return {key: _filled(inner, values) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, values) for inner in value]
    if not isinstance(value, str):
        return value
    for name, known in values.items():
        if value == "{" + name + "}":
            return known
        value = value.replace("{" + name + "}", str(known))
    return value


def _freshness(project: Project, source: str) -> dict[str, tuple[str, float]]:
    """For each raw table with a declared freshness: its load-time column and days to a warning."""
    hours = {"minute": 1 / 60, "hour": 1.0, "day": 24.0}
    found: dict[str, tuple[str, float]] = {}
    folder = project.root / "models" / "staging" / source
    for path in sorted(folder.glob("*sources.yml")):
        for declared in read_yaml(path).get("sources") or []:
            if declared.get("name") != source:
                continue
            for table in declared.get("tables") or []:
                settings = {
                    **declared,
                    **(declared.get("config") or {}),
                    **table,
                    **(table.get("config") or {}),
                }
                warn = (settings.get("freshness") or {}).get("warn_after") or {}
                column = settings.get("loaded_at_field")
                if column and warn.get("count"):
                    days = float(warn["count"]) * hours.get(str(warn.get("period")), 24.0) / 24
                    found[str(table["name"])] = (str(column), days)
    return found

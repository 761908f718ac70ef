"""The suites as data: what is expected of which table, how grave it is, and what it means.

A suite is one YAML file in this package's folder `suites/`:

- `suite`, `layer`, `about`: names and one sentence for people.
- `tables`: a list of entries with `table` (schema.name, where `kindred` stands for the marts'
  schema) or `query` (SQL that names tables as {schema.name}), `name` (of a query), `about`,
  optional `columns` (computed ones: name -> SQL), optional `fed_by` (skipped where no source
  feeds that stream), `optional: true` (skipped where the table does not exist), and `checks`.
- `each_raw_table`: the same, as a template for every raw table that is on ({source}, {table},
  {key}, {loaded_at}, {days}); `needs` names a column without which the entry is skipped.
- a check: `expect` (an expectation of Great Expectations without its `expect_`), `column`,
  `with` (its arguments), `severity` (critical, warning, info) and `meaning` in plain English.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
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
    needs_column: str | None = None

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
    raw_template: tuple[dict[str, Any], ...] = field(default=())


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
        tuple(content.get("each_raw_table", ())),
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
    project: Project, profile: Profile, suites: Sequence[Suite] | None = None
) -> list[Batch]:
    """Every batch to check, with the schemas of this target and one per raw table that is on."""
    found: list[Batch] = []
    for suite in suites if suites is not None else shipped_suites():
        if suite.raw_template:
            found += _raw_batches(project, suite)
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


def _raw_batches(project: Project, suite: Suite) -> list[Batch]:
    found: list[Batch] = []
    for source in project.sources:
        freshness = _freshness(project, source)
        for table in raw_tables(project, source):
            loaded_at, days = freshness.get(table.name, (None, None))
            found += _expand(suite, source_schema(project, source), table, loaded_at, days)
    return found


def _expand(
    suite: Suite, schema: str, table: RawTable, loaded_at: str | None, days: float | None
) -> Iterable[Batch]:
    keys = [column.name for column in table.columns if column.is_required]
    values = {
        "source": table.source,
        "table": table.name,
        "relation": quoted(schema, table.name),
        "key": keys[0] if keys else "",
        "quoted_key": quoted(keys[0]) if keys else "",
        "loaded_at": loaded_at or "",
        "quoted_loaded_at": quoted(loaded_at) if loaded_at else "",
        "days": days if days is not None else "",
    }
    for entry in suite.raw_template:
        text = str(entry)
        if any("{" + name + "}" in text and not value for name, value in values.items()):
            continue
        checks = [
            _check(_filled(check, values), f"raw: {table.name}")
            for check in entry["checks"]
            if check.get("only") != "required" or table.is_required
        ]
        if checks:
            yield Batch(
                suite=suite.name,
                layer="raw",
                table_schema=schema,
                table=table.name + str(entry.get("suffix", "")),
                about=str(_filled(entry.get("about", ""), values)),
                query=_filled(entry["query"], values) if "query" in entry else None,
                computed={},
                checks=tuple(checks),
                is_optional=not table.is_required,
                reads=((schema, table.name),),
                needs_column=_filled(entry["needs"], values) if "needs" in entry else None,
            )


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

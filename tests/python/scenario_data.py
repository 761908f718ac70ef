"""The identity scenarios of tests/scenarios as data: what the sources hold after each batch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import yaml

from kindred.sample.generate import generate
from whole_project import REPOSITORY

FOLDER = REPOSITORY / "tests" / "scenarios"
BATCHES = 5
# The moment that batch 1 speaks of is noon of the first day, and so on.
MOMENTS = tuple(f"2026-01-{day:02}T12:00:00" for day in range(1, BATCHES + 1))

_TEXT = pa.string()
PERSON_COLUMNS = {
    "record_id": _TEXT, "source": _TEXT, "source_object": _TEXT, "source_record_id": _TEXT,
    "first_name": _TEXT, "last_name": _TEXT, "full_name": _TEXT, "email": _TEXT, "phone": _TEXT,
    "street": _TEXT, "city": _TEXT, "postcode": _TEXT, "birth_date": _TEXT, "company_name": _TEXT,
    "company_domain": _TEXT, "is_test": pa.bool_(), "is_deleted": pa.bool_(),
}  # fmt: skip
ACCOUNT_COLUMNS = {
    "record_id": _TEXT, "source": _TEXT, "source_object": _TEXT, "source_record_id": _TEXT,
    "name": _TEXT, "domain": _TEXT, "phone": _TEXT, "street": _TEXT, "city": _TEXT,
    "postcode": _TEXT, "registration_number": _TEXT, "is_test": pa.bool_(),
    "is_deleted": pa.bool_(),
}  # fmt: skip
IDENTIFIER_COLUMNS = {
    "record_id": _TEXT, "source": _TEXT, "identifier_type": _TEXT, "identifier_value": _TEXT,
}  # fmt: skip
OVERRIDE_COLUMNS = (
    "entity", "decision", "record_id_l", "record_id_r", "author", "reason", "valid_from",
    "valid_to",
)  # fmt: skip
COLUMNS = {"person": PERSON_COLUMNS, "account": ACCOUNT_COLUMNS}
_OWN = ("record_id", "source_object", "source_record_id")

Rows = list[dict[str, Any]]
Names = frozenset[str]


@dataclass(frozen=True)
class Batch:
    """What a batch brings, and what must be true after it (None: nothing has changed)."""

    records: dict[str, dict[str, Any]]
    gone: tuple[str, ...]
    back: tuple[str, ...]
    decisions: tuple[dict[str, Any], ...]
    customers: dict[str, Names] | None
    events: frozenset[str]
    ids: dict[str, str]
    links: dict[Names, str]


@dataclass(frozen=True)
class Scenario:
    """A small story of records, the rule it depends on, and how it must go."""

    name: str
    shows: str
    rule: str
    entity: str
    batches: tuple[Batch, ...]
    path: Path = field(compare=False)

    @property
    def prefix(self) -> str:
        """What the record ids of this scenario hold and no other's do."""
        return f":{self.name}:"

    def expected(self, batch: int) -> Batch:
        """What must be true after a batch, counted from 1."""
        latest = next(b for b in reversed(self.batches[:batch]) if b.customers is not None)
        if batch <= len(self.batches) and self.batches[batch - 1].customers is not None:
            return latest
        return Batch({}, (), (), (), latest.customers, frozenset(), latest.ids, latest.links)


_BATCH_KEYS = {"records", "gone", "back", "decisions", "customers", "events", "ids", "links"}


@cache
def scenarios() -> tuple[Scenario, ...]:
    """All scenarios, by name."""
    return tuple(read(path) for path in sorted(FOLDER.glob("*.yml")))


def read(path: Path) -> Scenario:
    """One scenario; an unknown key is an error."""
    told = yaml.safe_load(path.read_text("utf-8"))
    told.pop("values", None)
    batches = tuple(_batch(path, given) for given in told.pop("batches"))
    scenario = Scenario(
        path.stem, told.pop("shows"), told.pop("rule"), told.pop("entity", "person"), batches, path
    )
    assert not told, f"{path.name}: unknown keys {sorted(told)}"
    return scenario


def _batch(path: Path, given: dict[str, Any]) -> Batch:
    assert set(given) <= _BATCH_KEYS, (
        f"{path.name}: unknown keys {sorted(set(given) - _BATCH_KEYS)}"
    )
    customers = given.get("customers")
    return Batch(
        {name: values or {} for name, values in given.get("records", {}).items()},
        tuple(given.get("gone", ())),
        tuple(given.get("back", ())),
        tuple(given.get("decisions", ())),
        None if customers is None else {k: frozenset(v) for k, v in customers.items()},
        frozenset(given.get("events", ())),
        {str(k): str(v) for k, v in given.get("ids", {}).items()},
        {frozenset(pair.split()): rule for pair, rule in given.get("links", {}).items()},
    )


def record_id(scenario: Scenario, local: str) -> str:
    """The name by which the warehouse knows a record of a scenario."""
    return f"{source_of(scenario, local)}{scenario.prefix}{local}"


def source_of(scenario: Scenario, local: str) -> str:
    """The source of a record: as it said when it first came, else crm."""
    first = next(b.records[local] for b in scenario.batches if local in b.records)
    return str(first.get("source", "crm"))


def held(scenario: Scenario, batch: int) -> dict[str, dict[str, Any]]:
    """The records that the sources hold after a batch: local name -> values."""
    seen: dict[str, dict[str, Any]] = {}
    absent: set[str] = set()
    for given in scenario.batches[:batch]:
        for local, values in given.records.items():
            seen[local] = {**seen.get(local, {}), **values}
            absent.discard(local)
        absent = (absent | set(given.gone)) - set(given.back)
    return {local: values for local, values in seen.items() if local not in absent}


@dataclass(frozen=True)
class State:
    """The streams and the stewards' decisions after a batch."""

    records: dict[str, pa.Table]
    identifiers: pa.Table
    overrides: Rows


def state(batch: int, among: Iterable[Scenario], *, background: bool = True) -> State:
    """What the streams hold after a batch of these scenarios, and of people of no scenario."""
    rows: dict[str, Rows] = {"person": [], "account": []}
    identifiers: Rows = []
    overrides: Rows = []
    for scenario in among:
        for local, values in held(scenario, batch).items():
            rows[scenario.entity].append(_record(scenario, local, values))
            identifiers += _identifiers(scenario, local, values)
        overrides += _overrides(scenario, batch)
    tables = {
        entity: pa.Table.from_pylist(found, schema=pa.schema(list(COLUMNS[entity].items())))
        for entity, found in rows.items()
    }
    if background:
        tables = {k: pa.concat_tables([v, _background()[k]]) for k, v in tables.items()}
    return State(
        tables,
        pa.Table.from_pylist(identifiers, schema=pa.schema(list(IDENTIFIER_COLUMNS.items()))),
        overrides,
    )


def _record(scenario: Scenario, local: str, values: dict[str, Any]) -> dict[str, Any]:
    columns = COLUMNS[scenario.entity]
    unknown = set(values) - set(columns) - {"identifiers"} | (set(values) & set(_OWN))
    assert not unknown, f"{scenario.name}, {local}: unknown columns {sorted(unknown)}"
    row = {name: _text(value) for name, value in values.items() if name != "identifiers"}
    return {
        "is_test": False,
        "is_deleted": False,
        **row,
        "record_id": record_id(scenario, local),
        "source": source_of(scenario, local),
        "source_object": scenario.name,
        "source_record_id": local,
    }


def _text(value: Any) -> Any:
    return value if value is None or isinstance(value, bool) else str(value)


def _identifiers(scenario: Scenario, local: str, values: dict[str, Any]) -> Rows:
    return [
        {
            "record_id": record_id(scenario, local),
            "source": source_of(scenario, local),
            "identifier_type": kind,
            "identifier_value": str(value),
        }
        for kind, value in values.get("identifiers", {}).items()
    ]


def _overrides(scenario: Scenario, batch: int) -> Rows:
    found: Rows = []
    for given in scenario.batches[:batch]:
        for decision in given.decisions:
            kind = next(k for k in ("must_link", "cannot_link") if k in decision)
            left, right = decision[kind]
            found.append(
                {
                    "entity": scenario.entity,
                    "decision": kind,
                    "record_id_l": record_id(scenario, left),
                    "record_id_r": record_id(scenario, right),
                    "author": "a steward",
                    "reason": f"scenario {scenario.name}",
                    "valid_from": _moment(decision.get("from")),
                    "valid_to": _moment(decision.get("until")),
                }
            )
    return found


def _moment(batch: int | None) -> str:
    """The start of the day of a batch: a decision `until: 3` is over when batch 3 comes."""
    return "" if batch is None else MOMENTS[batch - 1].replace("T12", " 00")


BACKGROUND_PEOPLE, BACKGROUND_COMPANIES = 150, 40
_PEOPLE = """
select 'pos:background:' || loyalty_id as id, first_name, last_name, null as full_name, email,
    phone, street, city, postal_code, cast(birth_date as text), null as company
from '{0}/pos/loyalty_member.parquet'
union all
select 'salesforce:background:' || id, first_name, last_name, name, email, phone, mailing_street,
    mailing_city, mailing_postal_code, cast(birthdate as text), null
from '{0}/salesforce/contact.parquet'
union all
select 'hubspot:background:' || cast(id as text), property_firstname, property_lastname, null,
    property_email, property_phone, property_address, property_city, property_zip,
    cast(property_date_of_birth as text), property_company
from '{0}/hubspot/contact.parquet'
union all
select 'shopify:background:' || cast(id as text), first_name, last_name, null, email, phone,
    null, null, null, null, null
from '{0}/shopify/customer.parquet'
"""
_COMPANIES = """
select 'salesforce:background:' || id as id, name, website, phone, billing_street, billing_city,
    billing_postal_code, null
from '{0}/salesforce/account.parquet'
union all
select 'hubspot:background:' || cast(id as text), property_name, property_domain, property_phone,
    property_address, property_city, property_zip, null
from '{0}/hubspot/company.parquet'
"""


@cache
def _background() -> dict[str, pa.Table]:
    """People and companies of the sample, so that common values are common."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        generate(BACKGROUND_PEOPLE, BACKGROUND_COMPANIES, Path(folder), seed=11)
        return {
            entity: _in_columns(connection, sql.format(folder), COLUMNS[entity])
            for entity, sql in (("person", _PEOPLE), ("account", _COMPANIES))
        }


_BACKGROUND_NAMES = {
    "person": "first_name, last_name, full_name, email, phone, street, city, postcode, birth_date,"
    " company_name",
    "account": "name, domain, phone, street, city, postcode, registration_number",
}


def _in_columns(
    connection: duckdb.DuckDBPyConnection, sql: str, columns: dict[str, pa.DataType]
) -> pa.Table:
    entity = "person" if columns is PERSON_COLUMNS else "account"
    names = _BACKGROUND_NAMES[entity]
    found = connection.execute(
        f"""
        select record_id, split_part(record_id, ':', 1) as source, 'background' as source_object,
            split_part(record_id, ':', 3) as source_record_id, {names},
            {"null as company_domain," if entity == "person" else ""}
            false as is_test, false as is_deleted
        from ({sql}) as found(record_id, {names})
        where split_part(record_id, ':', 3) <> ''
        qualify row_number() over (partition by record_id order by {names}) = 1
        order by record_id
        """
    ).to_arrow_table()
    return found.select(list(columns)).cast(pa.schema(list(columns.items())))

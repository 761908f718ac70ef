"""The project lint: each rule finds what it is there for, and the project itself is clean."""

from __future__ import annotations

from typing import Any

import pytest

from kindred import lint
from kindred.lint import House, findings, parse_project, read_house
from kindred.lint_yaml import PROPERTIES, read_strict, unknown_keys
from whole_project import REPOSITORY

CLASSIFIED = {"meta": {"pii": "none", "bi": "show"}}
PROJECT = """\
name: kindred
vars: {sources: {stripe: [person_records]}, segments: [big_spenders]}
models:
  kindred:
    marts:
      +contract: {enforced: true}
"""
SOURCES = """\
sources:
  - name: stripe
    description: Billing.
    tables:
      - name: customer
        description: One row per customer.
"""


def column(name: str = "id", **other: Any) -> dict[str, Any]:
    return {"name": name, "description": "Key.", "data_type": "text", "config": CLASSIFIED, **other}


def model(path: str, *parents: str, **other: Any) -> dict[str, Any]:
    """A model of the manifest that breaks no rule, with the given properties laid over."""
    folder, _, file = path.rpartition("/")
    name = file.rpartition(".")[0]
    room = next((room for room in lint.GROUPS if f"{folder}/".startswith(f"{room}/")), "")
    schema = next((s for r, s in lint.SCHEMAS.items() if f"{folder}/".startswith(f"{r}/")), None)
    config = {
        "group": lint.GROUPS.get(room),
        "schema": schema,
        "access": "public" if folder.startswith("marts") else "protected",
        "contract": {"enforced": folder.startswith(("marts", "intermediate/streams"))},
        **other.pop("config", {}),
    }
    return {
        "unique_id": f"model.kindred.{name}",
        "resource_type": "model",
        "name": name,
        "original_file_path": f"models/{path}",
        "description": "One row per thing.",
        "columns": {"id": column()},
        "config": config,
        "depends_on": {"nodes": [p if "." in p else f"model.kindred.{p}" for p in parents]},
        **other,
    }


def data_test(of: str, kind: str, on: str | None = "id") -> dict[str, Any]:
    return {
        "unique_id": f"test.kindred.{kind}_{of}_{on}",
        "resource_type": "test",
        "name": f"{kind}_{of}",
        "original_file_path": "models/x.yml",
        "attached_node": f"model.kindred.{of}",
        "column_name": on,
        "test_metadata": {"name": kind},
    }


STAGING = "models/staging/stripe"
FILES = {
    "dbt_project.yml": PROJECT,
    f"{STAGING}/_stripe__sources.yml": SOURCES,
    f"{STAGING}/_stripe__models.yml": "models: []\n",
    f"{STAGING}/_stripe__unit_tests.yml": "unit_tests: []\n",
    f"{STAGING}/base_stripe__customer.sql": "select 1 as id\n",
    **{
        f"{STAGING}/stripe__{what}.sql": "select 1 as id\n"
        for what in ("person_records", *lint.ACCOUNTING)
    },
    "models/intermediate/streams/person_records.sql": "select 1 as id\n",
    "models/segments/seg_big_spenders.sql": "select 1 as customer_id\n",
}
MODELS = [
    model("staging/stripe/base_stripe__customer.sql", "source.kindred.stripe.customer"),
    model("staging/stripe/stripe__person_records.sql", "base_stripe__customer"),
    model("intermediate/streams/person_records.sql", "stripe__person_records"),
    model("intermediate/identity/int_persons_link.sql", "person_records"),
    model("marts/profiles/customers.sql", "int_persons_link"),
    model("segments/seg_big_spenders.sql", "customers"),
]
TESTS = [
    data_test("person_records", "key"),
    data_test("customers", "key"),
]
SOURCE = {
    "source_name": "stripe",
    "name": "customer",
    "source_description": "Billing.",
    "description": "One row per customer.",
    "original_file_path": f"{STAGING}/_stripe__sources.yml",
}


def house(
    *changed: dict[str, Any],
    files: dict[str, str | None] | None = None,
    tests: list[dict[str, Any]] | None = None,
    segments: tuple[str, ...] = ("big_spenders",),
    sources: dict[str, list[str]] | None = None,
) -> House:
    """A small clean project with models, files and tests laid over it (None takes a file out)."""
    nodes = {
        node["unique_id"]: node
        for node in [*MODELS, *changed, *(TESTS if tests is None else tests)]
    }
    text = {k: v for k, v in {**FILES, **(files or {})}.items() if v is not None}
    manifest = {"nodes": nodes, "sources": {"source.kindred.stripe.customer": SOURCE}}
    return House(manifest, text, sources or {"stripe": ["person_records"]}, segments)


def said(of: House) -> str:
    return "\n".join(str(finding) for finding in findings(of))


def test_a_clean_project_has_no_findings() -> None:
    """Whoever follows the house rules hears nothing."""
    assert said(house()) == ""


def mart(**other: Any) -> dict[str, Any]:
    return model("marts/profiles/customers.sql", "int_persons_link", **other)


PLANTED = {
    "base name": (
        house(model("staging/stripe/stripe_customers.sql")),
        "'stripe_customers' does not fit models/staging/stripe",
    ),
    "singular staging name": (
        house(
            model("staging/stripe/stg_stripe__customer.sql"),
            tests=[*TESTS, data_test("stg_stripe__customer", "key")],
        ),
        "stg_stripe__<entity>s",
    ),
    "name of another source": (
        house(model("staging/stripe/base_shopify__order.sql")),
        "does not fit models/staging/stripe",
    ),
    "unknown stream": (house(model("staging/stripe/stripe__moods.sql")), "stripe__<stream>"),
    "intermediate name": (house(model("intermediate/identity/links.sql")), "int_<entity>_<verb>"),
    "mart with prefix": (house(model("marts/profiles/dim_customers.sql")), "plain nouns"),
    "segment name": (house(model("segments/lapsed.sql")), "seg_<name>"),
    "audience name": (house(model("activation/newsletter.sql")), "audience_<name>"),
    "no room": (house(model("misc/thing.sql")), "move it to a room"),
    "group": (house(mart(config={"group": "identity"})), "in the group identity"),
    "schema": (house(mart(config={"schema": "sandbox"})), "built in the schema sandbox"),
    "no description": (house(mart(description=" ")), "'customers' has no description"),
    "no grain": (house(mart(description="Customers.")), "does not begin with the grain"),
    "protected mart": (house(mart(config={"access": "protected"})), "is not public"),
    "public elsewhere": (
        house(model("intermediate/identity/int_persons_link.sql", config={"access": "public"})),
        "is public and no mart",
    ),
    "no contract": (
        house(mart(config={"contract": {"enforced": False}})),
        "has no enforced contract",
    ),
    "stream without contract": (
        house(
            model("intermediate/streams/person_records.sql", config={"contract": {}}),
        ),
        "'person_records' has no enforced contract",
    ),
    "no columns": (house(mart(columns={})), "lists no columns"),
    "column description": (
        house(mart(columns={"id": column(description="")})),
        "'customers.id' has no description",
    ),
    "column type": (house(mart(columns={"id": column(data_type=None)})), "has no data_type"),
    "column class": (
        house(mart(columns={"id": column(config={"meta": {"pii": "none"}})})),
        "is not classified (bi)",
    ),
    "untested key": (house(tests=TESTS[:1]), "no key of 'customers' is tested"),
    "a key that is only never null": (
        house(tests=[*TESTS[:1], data_test("customers", "not_null")]),
        "no key of 'customers' is tested",
    ),
    "typo in YAML": (
        house(files={f"{STAGING}/_stripe__models.yml": "models:\n  - {name: x, descripton: y}\n"}),
        "unknown key 'descripton' in models[x]\n    write `description`",
    ),
    "typo in a config": (
        house(
            files={
                f"{STAGING}/_stripe__models.yml": (
                    "models:\n  - {name: x, config: {contract: {enforce: true}}}\n"
                )
            }
        ),
        "unknown key 'enforce' in models[x].config.contract",
    ),
    "key written twice": (
        house(files={f"{STAGING}/_stripe__models.yml": "models:\n  - name: x\n    name: y\n"}),
        "the key 'name' is written twice, line 3",
    ),
    "broken YAML": (
        house(files={f"{STAGING}/_stripe__models.yml": "models: [\n"}),
        "_stripe__models.yml: ",
    ),
    "typo in dbt_project.yml": (
        house(files={"dbt_project.yml": PROJECT.replace("+contract", "+contrat")}),
        "unknown key '+contrat' in marts",
    ),
    "folder that is not there": (
        house(files={"dbt_project.yml": PROJECT.replace("    marts:", "    mart:")}),
        "there is no such folder",
    ),
    "YAML name": (
        house(files={"models/marts/profiles/schema.yml": "models: []\n"}),
        "name it _profiles__<what it holds>.yml",
    ),
    "source outside base": (
        house(mart(depends_on={"nodes": ["source.kindred.stripe.customer"]})),
        "'customers' reads the raw table stripe.customer",
    ),
    "staging behind the streams": (
        house(model("marts/profiles/customers.sql", "stripe__person_records")),
        "'customers' depends on the staging model 'stripe__person_records'",
    ),
    "staging by a detour": (
        house(model("intermediate/identity/int_persons_link.sql", "base_stripe__customer")),
        "'customers' depends on the staging model 'base_stripe__customer' "
        "(by way of 'int_persons_link')",
    ),
    "unregistered segment": (
        house(files={"models/segments/seg_lapsed.sql": "select 1 as customer_id\n"}),
        "add `- lapsed` under vars.segments",
    ),
    "segment without file": (
        house(segments=("big_spenders", "lapsed")),
        "write models/segments/seg_lapsed.sql",
    ),
    "wall clock": (
        house(files={"models/segments/seg_big_spenders.sql": "select NOW() as at\n"}),
        "reads the wall clock (now)",
    ),
    "wall clock in Jinja": (
        house(files={"models/segments/seg_big_spenders.sql": "select '{{ run_started_at }}'\n"}),
        "reads the wall clock (run_started_at)",
    ),
    "wall clock in Python": (
        house(files={"models/intermediate/identity/x.py": "at = datetime.now()\n"}),
        "reads the wall clock (now)",
    ),
    "qualify": (
        house(files={"models/segments/seg_big_spenders.sql": "select a from b QUALIFY c = 1\n"}),
        "'qualify' is not understood by every engine",
    ),
    "group by all": (
        house(files={"analyses/a.sql": "select a from b group  by all\n"}),
        "is not understood by every engine",
    ),
    "cast by colons": (house(files={"analyses/a.sql": "select a::int from b\n"}), "'::'"),
    "dialect elsewhere": (
        house(files={"macros/staging/a.sql": "{% macro duckdb__a() %}1{% endmacro %}\n"}),
        "move it to macros/cross_db",
    ),
    "long line": (
        house(files={"models/segments/seg_big_spenders.sql": "select " + "a, " * 40}),
        "seg_big_spenders.sql:1: the line has 127 columns",
    ),
    "no unit tests": (
        house(files={f"{STAGING}/_stripe__unit_tests.yml": None}),
        "_stripe__unit_tests.yml is missing",
    ),
    "no quarantine": (
        house(files={f"{STAGING}/stripe__quarantine.sql": None}),
        "stripe__quarantine.sql is missing",
    ),
    "table without base": (
        house(files={f"{STAGING}/base_stripe__customer.sql": None}),
        "base_stripe__customer.sql is missing",
    ),
    "source not listed": (
        house(sources={"shopify": []}),
        "vars.sources has no line for 'stripe'",
    ),
    "stream not listed": (
        house(sources={"stripe": []}),
        "does not say that 'stripe' feeds 'person_records'",
    ),
    "stream without model": (
        house(sources={"stripe": ["person_records", "consent_events"]}),
        "feeds 'consent_events', which has no model",
    ),
    "source without folder": (
        house(sources={"stripe": ["person_records"], "shopfy": ["person_records"]}),
        "lists 'shopfy', which has no folder",
    ),
    "thick Python model": (
        house(files={"models/intermediate/identity/x.py": "a = 1\n" * 21}),
        "the Python model has 21 lines",
    ),
    "unit test of nothing": (
        house(
            files={
                f"{STAGING}/_stripe__unit_tests.yml": "unit_tests: [{name: test__a__b, model: a}]\n"
            }
        ),
        "is for 'a', which is no model",
    ),
    "name of a unit test": (
        house(
            files={
                f"{STAGING}/_stripe__unit_tests.yml": (
                    "unit_tests: [{name: checks, model: base_stripe__customer}]\n"
                )
            }
        ),
        "test__<model>__<what must hold>",
    ),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_fault_is_found(planted: str) -> None:
    """Whoever breaks a rule hears which file, what, and how to mend it."""
    crooked, words = PLANTED[planted]
    found = findings(crooked)
    assert words in "\n".join(map(str, found))
    assert all(item.file and item.what and item.mend for item in found)


def test_every_rule_has_a_planted_fault() -> None:
    """No rule is there that finds nothing."""
    quiet = [
        rule.__name__
        for rule in lint.RULES
        if not any(list(rule(crooked)) for crooked, _ in PLANTED.values())
    ]
    assert quiet == []


def test_comments_and_texts_are_no_code() -> None:
    """A remark about `now()` or `qualify` is none to mend."""
    sql = (
        "-- qualify is not used, nor now()\n"
        "{# current_date #}\n"
        "/* a::b */ select 'group by all' as words, {{ try_cast('a', 'date') }} as day from b\n"
    )
    assert said(house(files={"models/segments/seg_big_spenders.sql": sql})) == ""


@pytest.mark.parametrize(
    "text",
    [
        "models: [{name: a, data_tests: [unique, {not_null: {config: {severity: warn}}}]}]",
        "models: [{name: a, columns: [{name: b, data_tests: "
        "[{accepted_values: {arguments: {values: [c]}}}]}]}]",
        "unit_tests: [{name: t, model: a, given: [{input: b, rows: [{any: 1}]}], "
        "expect: {rows: []}, overrides: {vars: {as_of: x}}}]",
        "exposures: [{name: a, type: dashboard, owner: {name: b, email: c}, depends_on: []}]",
        "sources: [{name: a, config: {freshness: {warn_after: {count: 1, period: day}}}}]",
    ],
)
def test_what_dbt_reads_is_let_through(text: str) -> None:
    """The keys that dbt's documentation names are known."""
    assert list(unknown_keys(read_strict(text), PROPERTIES)) == []


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("models: [{name: a, tests: [unique]}]", "tests"),
        ("models: [{name: a, data_tests: [{not_null: {severity: warn}}]}]", "severity"),
        ("models: [{name: a, columns: [{name: b, meta: {pii: none}}]}]", "meta"),
        ("sources: [{name: a, tables: [{name: b, freshness: {}}]}]", "freshness"),
        ("unit_tests: [{name: t, model: a, expected: {rows: []}}]", "expected"),
        ("model: []", "model"),
    ],
)
def test_what_dbt_does_not_read_is_named(text: str, key: str) -> None:
    """A key that dbt passes over in silence, or reads from an old place, is a finding."""
    assert [item.key for item in unknown_keys(read_strict(text), PROPERTIES)] == [key]


def test_the_project_is_clean() -> None:
    """The project keeps its own rules."""
    house_itself = read_house(REPOSITORY, parse_project(REPOSITORY))
    assert said(house_itself) == ""


def test_the_command_tells_and_ends_with_one(
    capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    """`python -m kindred.lint` says what it cannot read, without a stack trace."""
    assert lint.main(["--project-dir", str(tmp_path)]) == 2
    assert "dbt_project.yml" in capsys.readouterr().err

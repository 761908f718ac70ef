"""The project from end to end, as somebody who cloned it runs it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import duckdb
import pytest

from conftest import sample_as_of, suppress_a_customer
from whole_project import WholeProject, copy_project, shared_data

RUN_OWN = {"run_history", "identity_health", "data_quality_results"}
MUST_HOLD_ROWS = [
    "customers", "accounts", "customer_accounts", "customer_source_records",
    "account_source_records", "customer_identifiers", "activities", "transactions",
    "customer_consents", "segments", "segment_members", "identity_links",
    "data_quality_quarantine", "data_quality_results", "run_history",
]  # fmt: skip
BALANCE = "tests/streams/every_raw_row_is_accounted_for.sql"


def hashes(project: WholeProject) -> dict[str, tuple[object, ...]]:
    """Rows and order-independent hash of each table of the schemas people read."""
    found: dict[str, tuple[object, ...]] = {}
    with duckdb.connect(str(project.database), read_only=True) as connection:
        names = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables "
            "where table_schema in ('kindred', 'segments') order by 1"
        ).fetchall()
        for (name,) in names:
            sql = f"select count(*), sum(hash(cast(t as text))) from {name} as t"
            found[name] = connection.execute(sql).fetchall()[0]
    return found


@pytest.mark.parametrize("mart", MUST_HOLD_ROWS)
def test_every_mart_holds_rows(built_project: WholeProject, mart: str) -> None:
    """An analyst who opens a mart after the demo finds something in it."""
    ((rows,),) = built_project.query(f"select count(*) from kindred.{mart}")
    assert rows


def test_the_overview_of_the_docs_names_every_mart(built_project: WholeProject) -> None:
    """A newcomer who opens dbt's docs is led to every public mart, and to nothing else."""
    manifest = json.loads((built_project.root / "target/manifest.json").read_text("utf-8"))
    marts = {node["name"] for node in manifest["nodes"].values() if node.get("access") == "public"}
    table = manifest["docs"]["doc.kindred.__overview__"]["block_contents"]
    named = re.findall(r"`(\w+)`", "".join(row for row in table.splitlines() if row[:1] == "|"))
    assert sorted(named) == sorted(marts)


def test_people_are_unified(built_project: WholeProject) -> None:
    """There are fewer customers than records, and about as many as people."""
    ((customers, records),) = built_project.query(
        "select count(distinct customer_id), count(*) from kindred.customer_source_records"
    )
    assert 0.7 * 300 < int(str(customers)) < 0.8 * int(str(records))


def test_a_second_build_changes_no_row(
    built_project: WholeProject, project_copy: WholeProject
) -> None:
    """Whoever schedules plain `dbt build` gets the same rows from the same data and `as_of`.

    All unit tests and data tests run with it.
    """
    before = hashes(built_project)
    given = f"{{as_of: '{sample_as_of(built_project)}'}}"
    project_copy.dbt("build", "--quiet", "--vars", given).expect()
    after = hashes(project_copy)
    assert set(before) == set(after)
    changed = [
        name for name in before if before[name] != after[name] and name.split(".")[1] not in RUN_OWN
    ]
    assert not changed


def test_unit_tests_have_moments_of_their_own(project_copy: WholeProject) -> None:
    """Whoever builds with plain dbt for a moment of the past has no unit test fail for it."""
    asked = ("--select", "path:models/segments,test_type:unit")
    ended = project_copy.dbt("test", *asked, KINDRED_AS_OF="2001-01-01").expect()
    assert re.search("PASS=[1-9]", ended.text)


def unaccounted(project: WholeProject, *changes: str) -> list[tuple[object, ...]]:
    """What the reconciliation says after the changes; its counts are views on the tables."""
    with duckdb.connect(str(project.database)) as connection:
        for change in changes:
            (deleted,) = connection.execute(change).fetchall()[0]
            assert deleted == 1, change
        return connection.execute(project.compiled(BALANCE)).fetchall()


@pytest.fixture
def database_copy(built_project: WholeProject, tmp_path: Path) -> WholeProject:
    """The warehouse and dbt's compiled SQL, to be changed."""
    root = tmp_path / "project"
    (root / "target").mkdir(parents=True)
    shutil.copyfile(built_project.database, root / built_project.database.name)
    (root / "target" / "compiled").symlink_to(built_project.root / "target" / "compiled")
    return WholeProject(root)


def test_every_row_is_accounted_for(database_copy: WholeProject) -> None:
    """Nothing is lost in a build, and each term of the account is in use."""
    assert unaccounted(database_copy) == []
    for term in (
        "select count(*) from streams.quarantine where is_whole_row",
        "select sum(row_count) from staging.privacy__suppressed_rows",
        "select sum(collapsed_count) from streams.collapsed_rows",
        "select sum(staged_count) from streams.row_counts",
    ):
        ((count,),) = database_copy.query(term)
        assert count, term


ONE = "where rowid = (select min(rowid) from {table} where {which})"


@pytest.mark.parametrize(
    ("table", "which"),
    [
        ("staging.stg_stripe__customers", "true"),
        ("streams.quarantine", "is_whole_row"),
        ("staging.privacy__suppressed_rows", "true"),
        ("streams.collapsed_rows", "true"),
    ],
)
def test_a_lost_row_is_noticed(database_copy: WholeProject, table: str, which: str) -> None:
    """A data engineer hears of it when one row is lost, whichever term loses it."""
    where = ONE.format(table=table, which=which)
    told = unaccounted(database_copy, f"delete from {table} {where}")
    assert len(told) == 1


def test_analyses_run(project_copy: WholeProject) -> None:
    """The worked queries that analysts copy run as they are."""
    project_copy.dbt("compile", "--quiet", "--select", "path:analyses").expect()
    compiled = sorted((project_copy.root / "target/compiled/kindred/analyses").rglob("*.sql"))
    assert len(compiled) >= 6
    for path in compiled:
        assert project_copy.query(path.read_text("utf-8")) is not None, path.name


def test_raw_layout_of_connectors(tmp_path: Path) -> None:
    """Somebody with Salesforce, Stripe and Shopify tables of their own gets profiles."""
    data = shared_data()
    if data is None or not (data / "connectors").is_dir():
        pytest.skip("no connector rows on this machine; KINDRED_SHARED_DATA names their folder")
    project = copy_project(tmp_path / "project")
    three = "salesforce,stripe,shopify"
    project.kindred("load", str(data / "connectors"), "--sources", three).expect()
    project.kindred("build", "--sources", three).expect()
    for mart in ("customers", "accounts"):
        ((rows,),) = project.query(f"select count(*) from kindred.{mart}")
        assert rows, mart
    with duckdb.connect(str(project.database), read_only=True) as connection:
        assert connection.execute(project.compiled(BALANCE)).fetchall() == []
    ((tables,),) = project.query("select count(*) from streams.row_counts where raw_count > 0")
    assert int(str(tables)) >= 9


# Wrong use: one clear message, an exit code that says so, never a stack trace.


def refused(project: WholeProject, *arguments: str) -> str:
    """What a command says when it refuses."""
    ended = project.kindred(*arguments)
    assert ended.code == 2, ended.text[-3000:]
    assert "Traceback" not in ended.text
    assert ended.text.count("Error:") == 1
    return ended.text


@pytest.fixture
def stripe_only(fresh_project: WholeProject) -> WholeProject:
    """A project with a small billing system as its only source."""
    write_csv(fresh_project, "customer", "id,email\ncus_1,ann@example.com\n")
    fresh_project.kindred("load", "raw").expect()
    return fresh_project


def write_csv(project: WholeProject, table: str, text: str) -> None:
    """A raw file of the billing system."""
    path = project.root / "raw" / "stripe" / f"{table}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def test_no_profile(tmp_path: Path) -> None:
    """Without a profile a build says which file to copy."""
    project = copy_project(tmp_path / "project", with_profile=False)
    told = WholeProject(project.root, {**project.environment, "HOME": str(tmp_path)})
    assert "profiles.example.yml" in refused(told, "build")


def test_unknown_source(stripe_only: WholeProject) -> None:
    """A mistyped source is named, with those that there are."""
    told = refused(stripe_only, "build", "--vars", "{sources: {stripes: [person_records]}}")
    assert "stripes" in told
    assert "salesforce" in told


def test_missing_required_table(stripe_only: WholeProject) -> None:
    """A required table that is missing is named, with how to load it."""
    stripe_only.execute(
        "drop table stripe.customer", "create table stripe.charge as select 'ch_1' as id"
    )
    assert "stripe.customer" in refused(stripe_only, "build", "--sources", "stripe")


def test_missing_required_column(stripe_only: WholeProject) -> None:
    """A required column that is missing is named with its table."""
    stripe_only.execute("alter table stripe.customer rename id to identity_number")
    assert "stripe.customer.id" in refused(stripe_only, "build", "--sources", "stripe")


def test_empty_source(stripe_only: WholeProject) -> None:
    """A source without a row is not built in silence."""
    stripe_only.execute("delete from stripe.customer")
    assert "'stripe'" in refused(stripe_only, "build", "--sources", "stripe")


def test_torn_csv(fresh_project: WholeProject) -> None:
    """A torn line is named with its file, and nothing of the file is loaded."""
    write_csv(fresh_project, "customer", 'id,email\ncus_1,ann@example.com\ncus_2,"bo@exa')
    told = refused(fresh_project, "load", "raw")
    assert "customer.csv" in told
    assert "line 3" in told


def test_suppression_without_key(stripe_only: WholeProject) -> None:
    """Once somebody is suppressed, a run without the key stages nothing."""
    suppress_a_customer(stripe_only)
    told = refused(
        WholeProject(
            stripe_only.root,
            {k: v for k, v in stripe_only.environment.items() if k != "KINDRED_PRIVACY_KEY"},
        ),
        "build", "--sources", "stripe",
    )  # fmt: skip
    assert "KINDRED_PRIVACY_KEY" in told

"""A whole build on records that an enemy filled in: it ends, loses no row, and nothing is run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from engine_parity import unlike
from hostile_town import LONGEST_KEY, make_hostile
from hostile_values import HOSTILE, LONG
from postgres_server import PostgresDatabase, PostgresServer
from whole_project import WholeProject, copy_project, plain_environment

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> WholeProject:
    """Sample, hostile rows, load and `kindred build`, as a user would call them."""
    project = copy_project(tmp_path_factory.mktemp("hostile") / "project")
    project.kindred("sample", "--people", "60", "--companies", "10", "--out", "sample").expect()
    make_hostile(project.root / "sample")
    return built(project, project.root / "sample", "duckdb")


@pytest.fixture(scope="module")
def on_postgres(
    town: WholeProject, postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[WholeProject, PostgresDatabase]]:
    """The same town, loaded and built on Postgres."""
    root = copy_project(tmp_path_factory.mktemp("hostile_postgres") / "project").root
    with postgres.new_database() as database:
        project = WholeProject(root, plain_environment(**database.environment))
        yield built(project, town.root / "sample", "postgres"), database


def built(project: WholeProject, sample: Path, target: str) -> WholeProject:
    """The project after `kindred load` and `kindred build`."""
    project.kindred("load", str(sample), "--target", target).expect()
    project.kindred("build", "--as-of", "2026-06-30", "--target", target).expect()
    return project


def test_both_engines_make_the_same_of_it(
    town: WholeProject, on_postgres: tuple[WholeProject, PostgresDatabase]
) -> None:
    """Whatever a row holds, streams, marts and segments are the same on Postgres, row by row."""
    assert unlike(town, on_postgres[1]) == {}


def test_the_same_is_published(
    town: WholeProject, on_postgres: tuple[WholeProject, PostgresDatabase]
) -> None:
    """Such rows keep nobody from the day's data: every mart is there for readers, masked alike."""
    masked = town.root / "published" / "current" / "kindred.duckdb"
    columns = "customer_id, email, phone, last_name, city, birth_date"
    with duckdb.connect(str(masked), read_only=True) as connection:
        ours = connection.execute(f"select {columns} from customers").fetchall()
        marts = connection.execute("select table_name from information_schema.tables").fetchall()
    theirs = on_postgres[1].query(f"select {columns} from published.customers")
    assert sorted(map(repr, ours)) == sorted(map(repr, theirs))
    views = "select viewname from pg_views where schemaname = 'published'"
    assert sorted(on_postgres[1].query(views)) == sorted(marts)


def test_a_text_in_the_place_of_a_key_is_quarantined(town: WholeProject) -> None:
    """A key of more than 500 characters is named with its reason; one of 500 is staged."""
    tables = town.query(
        "select count(distinct source || source_table) from kindred.data_quality_quarantine "
        "where is_whole_row and rule = 'key_too_long'"
    )
    assert tables == town.query("select count(*) from streams.row_counts where raw_count > 0")
    for stream in ("person_records", "account_records"):
        longest = town.query(f"select max(length(source_record_id)) from streams.{stream}")
        assert longest == [(len(LONGEST_KEY),)]


def test_no_row_is_lost_and_no_table(town: WholeProject) -> None:
    """Every raw row is staged, quarantined or collapsed, and every customer is there."""
    ((raw, staged),) = town.query(
        "select sum(raw_count), sum(staged_count) from streams.row_counts"
    )
    ((quarantined,),) = town.query(
        "select count(*) from kindred.data_quality_quarantine where is_whole_row"
    )
    ((collapsed,),) = town.query("select sum(collapsed_count) from streams.collapsed_rows")
    assert int(str(raw)) == int(str(staged)) + int(str(quarantined)) + int(str(collapsed))
    assert town.query("select count(*) > 60 from kindred.customers") == [(True,)]


def folded(text: str) -> str:
    """A title as staging holds it: blanks and line ends are one blank (macro to_name)."""
    return re.sub(r"[ \t\n\r\f]+", " ", text).strip()


def test_hostile_values_reach_the_streams_unharmed(town: WholeProject) -> None:
    """What was typed into a title, a street or a name is what the record holds."""
    rows = town.query(
        "select record_id, job_title from streams.person_records "
        "where record_id like 'salesforce:contact:hostile-%' or record_id like '%long-title'"
    )
    held = {str(record).rpartition(":")[2]: title for record, title in rows}
    wanted = {f"hostile-{n}": text for n, text in enumerate(HOSTILE.values())}
    wanted["long-title"] = LONG
    odd = {key for key, text in wanted.items() if held.get(key) != folded(text)}
    assert odd == set()


def test_reports_hold_no_markup_of_the_records(
    town: WholeProject, on_postgres: tuple[WholeProject, PostgresDatabase]
) -> None:
    """Nothing that stands in a record can run in a page that somebody opens."""
    pages = [page for p in (town, on_postgres[0]) for page in (p.root / "reports").rglob("*.html")]
    assert len(pages) > 2
    for page in pages:
        told = page.read_text("utf-8")
        assert "<script>alert(" not in told, page
        assert "onerror=alert" not in re.sub(r"&lt;.*?&gt;", "", told), page


def test_the_log_holds_no_value(
    town: WholeProject, on_postgres: tuple[WholeProject, PostgresDatabase]
) -> None:
    """A value is nobody's business in target/ and logs/."""
    for folder in (p.root / name for p in (town, on_postgres[0]) for name in ("target", "logs")):
        for path in folder.rglob("*"):
            if path.is_file() and path.suffix in (".json", ".log", ".sql"):
                assert "Robert'); drop table" not in path.read_text("utf-8", errors="replace")

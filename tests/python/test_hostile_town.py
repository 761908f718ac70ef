"""A whole build on records that an enemy filled in: it ends, loses no row, and nothing is run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hostile_town import make_hostile
from hostile_values import HOSTILE, LONG
from whole_project import WholeProject, copy_project

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> WholeProject:
    """Sample, hostile rows, load and `kindred build`, as a user would call them."""
    project = copy_project(tmp_path_factory.mktemp("hostile") / "project")
    project.kindred("sample", "--people", "60", "--companies", "10", "--out", "sample").expect()
    make_hostile(project.root / "sample")
    project.kindred("load", "sample").expect()
    # The checks may find such data unfit; they must be able to say so.
    ended = project.kindred("build", "--as-of", "2026-06-30")
    assert ended.code in (0, 1), ended.text[-4000:]
    return project


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


def test_reports_hold_no_markup_of_the_records(town: WholeProject) -> None:
    """Nothing that stands in a record can run in a page that somebody opens."""
    pages = sorted((town.root / "reports").rglob("*.html"))
    assert pages
    for page in pages:
        told = page.read_text("utf-8")
        assert "<script>alert(" not in told, page
        assert "onerror=alert" not in re.sub(r"&lt;.*?&gt;", "", told), page


def test_the_log_holds_no_value(town: WholeProject) -> None:
    """A value is nobody's business in target/ and logs/."""
    for folder in ("target", "logs"):
        for path in Path(town.root / folder).rglob("*"):
            if path.is_file() and path.suffix in (".json", ".log", ".sql"):
                assert "Robert'); drop table" not in path.read_text("utf-8", errors="replace")

"""`kindred check`: what data engineers, stewards and the privacy officer may rely on."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from cli_project import SmallProject, make_project
from cli_warehouse import PLANTED_EMAIL, PLANTED_NAME, build_warehouse
from kindred.quality.suites import parse_suite, shipped_suites


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> SmallProject:
    return make_project(tmp_path, monkeypatch, capsys)


def test_sound_data_is_fit_and_a_second_check_replaces_its_rows(
    project: SmallProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a nightly run: exit 0, one row a check however often it is run, summary and JUnit."""
    build_warehouse(project)
    summary = project.root / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    outcome = project.run("check", "--junit", "reports/checks.xml")
    assert outcome.code == 0, outcome.text
    assert "Fit for use" in outcome.out
    sql = "select * from kindred.data_quality_results order by result_id"
    first = project.query(sql)
    assert len(first) > 40
    assert len({row[0] for row in first}) == len(first)
    assert project.run("check").code == 0
    assert project.query(sql) == first
    assert "fit for use" in summary.read_text()
    suites = ElementTree.parse(project.root / "reports/checks.xml").getroot()  # noqa: S314
    assert sum(int(suite.get("tests", "0")) for suite in suites) == len(first)


def test_a_broken_promise_fails_and_nothing_personal_is_told(project: SmallProject) -> None:
    """For the privacy officer: a failing check tells counts; no value is anywhere."""
    build_warehouse(project)
    project.execute(
        "insert into streams.person_records select * replace"
        " ('Plantagenet at planted.secret@example.com' as email, 'Plantagenet' as country_code,"
        " 'Plantagenet' as phone) from streams.person_records limit 1",
        "update streams.record_activities set channel = 'planted.secret@example.com'"
        " where activity_id = 'act1'",
        "insert into kindred.customers select * from kindred.customers limit 1",
        "alter table kindred.activities drop column occurred_at",
        "update stripe.customer set id = 'planted.secret@example.com' where id = 'cus1'",
    )
    outcome = project.run("check", "--junit", "reports/checks.xml")
    assert outcome.code == 1
    assert "Not fit for use" in outcome.out
    assert "could not be checked" in outcome.out
    failed = project.query(
        "select table_name, expectation, severity, unexpected_count from"
        " kindred.data_quality_results where not is_success"
    )
    assert ("streams.person_records", "column_values_to_be_unique", "critical", 2) in failed
    assert ("streams.record_activities", "column_values_to_be_in_set", "warning", 1) in failed
    rows = str(project.query("select * from kindred.data_quality_results"))
    pages = {
        path: path.read_text(errors="replace")
        for path in (project.root / "reports").rglob("*")
        if path.is_file()
    }
    assert len([path for path in pages if "data_docs" in path.parts]) > 10
    index = pages[project.root / "reports" / "data_docs" / "index.html"]
    assert "</i> critical failed<" in index
    for text in [*pages.values(), rows, outcome.text]:
        assert PLANTED_EMAIL not in text
        assert PLANTED_NAME not in text
        assert "Traceback" not in text


def test_reports_load_nothing_from_outside(project: SmallProject) -> None:
    """For a reader without a network: no page asks another host for a style or a script."""
    build_warehouse(project)
    project.run("check")
    for path in (project.root / "reports").rglob("*.html"):
        text = path.read_text()
        for tag in ("<script src=", "<link rel=", "<img "):
            assert not any("http" in part[:300] for part in text.split(tag)[1:]), path


def test_warnings_do_not_fail_the_command(project: SmallProject) -> None:
    """For a nightly run: a lost email column warns, and the run goes on."""
    build_warehouse(project)
    project.execute("update streams.person_records set email = null")
    outcome = project.run("check")
    assert outcome.code == 0
    assert "warning" in outcome.out
    index = (project.root / "reports" / "data_docs" / "index.html").read_text("utf-8")
    assert "</i> warning<" in index
    assert "</i> passed<" in index
    assert "failed" not in index


def test_what_is_off_is_noted_and_what_is_missing_fails(project: SmallProject) -> None:
    """For a shop without companies: what no source feeds is skipped; a missing mart is critical."""
    build_warehouse(project)
    project.execute("drop table streams.account_records", "drop table identity.int_account_ids")
    assert project.run("check").code == 0
    project.execute("drop table kindred.transactions")
    outcome = project.run("check")
    assert outcome.code == 1
    assert "the table is missing" in outcome.out


def test_check_needs_a_build(project: SmallProject) -> None:
    """For a beginner: without a database, or a build in it, one message says what to run."""
    assert "kindred build" in project.run("check").err
    project.execute("create schema kindred")
    outcome = project.run("check")
    assert outcome.code == 2
    assert "run `kindred build` first" in outcome.err
    build_warehouse_without_results(project)
    outcome = project.run("check")
    assert outcome.code == 2
    assert "data_quality_results is missing" in outcome.err


def build_warehouse_without_results(project: SmallProject) -> None:
    project.execute("drop schema kindred")
    build_warehouse(project)
    project.execute("drop table kindred.data_quality_results")


def test_every_shipped_check_says_what_it_means() -> None:
    """For whoever reads a report: every check has a meaning that ends as a sentence, no jargon."""
    for suite in shipped_suites():
        assert suite.about
        for batch in suite.batches:
            assert batch.about
            names = [(check.expectation, check.column) for check in batch.checks]
            assert len({*names, *map(str, batch.checks)}) >= len(names)
            for check in batch.checks:
                assert check.meaning.endswith("."), check
                assert "column_" not in check.meaning


def test_a_misspelt_suite_is_named() -> None:
    """For whoever adds a check: a wrong key or severity names the file."""
    entry = {"table": "kindred.customers", "checks": [{"expect": "x", "severity": "grave"}]}
    with pytest.raises(Exception, match=r"my\.yml"):
        parse_suite({"suite": "s", "layer": "marts", "tables": [entry]}, "my.yml")

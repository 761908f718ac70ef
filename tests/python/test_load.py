"""`kindred load`: what a data engineer may rely on when files become raw tables."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli_project import SmallProject, make_project, write

CUSTOMERS = 'id,name,email\n007,"Doe, Jo",jo@example.com\n00012345678901234567890,Ann,\n'


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> SmallProject:
    return make_project(tmp_path, monkeypatch, capsys)


def test_csv_values_stay_as_written(project: SmallProject) -> None:
    """For every source: leading zeros, long ids and commas in quotes survive, as text."""
    write(project.root / "raw/stripe/customer.csv", CUSTOMERS)
    assert project.run("load", "raw").code == 0
    assert project.query("select * from stripe.customer order by id") == [
        ("00012345678901234567890", "Ann", None),
        ("007", "Doe, Jo", "jo@example.com"),
    ]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_dialects_that_spreadsheets_write(
    project: SmallProject, ending: str, delimiter: str
) -> None:
    """For people who export from a spreadsheet: marks, blanks and line endings."""
    text = "\ufeff id , name\n1,Zoë\n".replace(",", delimiter).replace("\n", ending)
    write(project.root / "raw/stripe/customer.csv", text)
    assert project.run("load", "raw").code == 0
    assert project.query("select id, name from stripe.customer") == [("1", "Zoë")]


def test_parquet_keeps_types_and_jsonl_keeps_numbers(project: SmallProject) -> None:
    """For connectors that write types: they arrive; text that looks like a date stays text."""
    folder = project.root / "raw/stripe"
    folder.mkdir(parents=True)
    pq.write_table(pa.table({"id": [1, 2], "paid": [True, None]}), folder / "charge.parquet")
    write(
        folder / "customer.jsonl",
        '{"id":"007","n":1,"day":"03/04/2020","o":{"a":[1]}}\n\n{"id":"8","n":2.5}\n',
    )
    assert project.run("load", "raw").code == 0
    assert project.query("select * from stripe.charge order by id") == [(1, True), (2, None)]
    assert project.query("select * from stripe.customer order by id") == [
        ("007", 1.0, "03/04/2020", '{"a":[1]}'),
        ("8", 2.5, None, None),
    ]


def test_loading_again_changes_nothing_and_a_changed_file_replaces(project: SmallProject) -> None:
    """For a nightly load: the same file is left alone, a new version replaces the whole table."""
    path = write(project.root / "raw/stripe/customer.csv", CUSTOMERS)
    project.run("load", "raw")
    before = project.query("select * from kindred_load.loaded_files")
    again = project.run("load", "raw")
    assert "unchanged" in again.out
    assert project.query("select * from kindred_load.loaded_files") == before
    write(path, "id,email\n1,a@example.com\n")
    changed = project.run("load", "raw")
    assert "replaced" in changed.out
    assert project.query("select * from stripe.customer") == [("1", "a@example.com")]
    project.execute("drop table stripe.customer")
    assert project.run("load", "raw").code == 0
    assert project.query("select count(*) from stripe.customer") == [(1,)]


BROKEN = {
    "torn": ("customer.csv", "id,email\n1,secret@example.com\n2\n", ["line 3", "column 'id'"]),
    "long": ("customer.csv", "id,email\n1,secret@example.com,x\n", ["line 2", "3 values"]),
    "quote": ("customer.csv", 'id,email\n1,"secret@example.com\n', ["line 2", "not closed"]),
    "latin": (
        "customer.csv",
        b"id,email\n1,x\n2,secret@ex\xe4mple.com\n",
        ["line 3", "column 12", "UTF-8"],
    ),
    "twice": ("customer.csv", "id,email,ID\n1,secret@example.com,2\n", ["line 1", "'ID'"]),
    "mixed": ("customer.csv", "id,e\n1,secret@example.com\r\n2,b\n", ["line 2", "mixed"]),
    "empty": ("customer.csv", "", ["empty"]),
    "json": (
        "customer.jsonl",
        '{"id":1}\n{"id":"secret@example.com" "x":1}\n',
        ["line 2", "column 28"],
    ),
    "json torn": ("customer.jsonl", '{"id":1}\n{"id":"secret@exa', ["line 2"]),
    "json list": ("customer.jsonl", '{"id":1}\n["secret@example.com"]\n', ["line 2", "object"]),
    "json keys": ("customer.jsonl", '{"id":1,"id":"secret@example.com"}\n', ["line 1", "name"]),
    "json latin": ("customer.jsonl", b'{"id":1}\n{"id":"secret@\xe4"}\n', ["line 2", "column 15"]),
    "no parquet": ("customer.parquet", "secret@example.com", ["cut off"]),
}


@pytest.mark.parametrize("case", list(BROKEN))
def test_a_broken_file_is_named_and_nothing_of_it_is_loaded(
    project: SmallProject, case: str
) -> None:
    """For whoever mends a file: its name and place are told, no value of it, and nothing is in."""
    name, content, told = BROKEN[case]
    write(project.root / "raw/stripe" / name, content)
    write(project.root / "raw/shopify/customer.csv", CUSTOMERS)
    outcome = project.run("load", "raw")
    assert outcome.code == 2
    assert f"stripe/{name}" in outcome.err
    for part in told:
        assert part in outcome.err, outcome.err
    assert "secret" not in outcome.text
    assert "Traceback" not in outcome.text
    assert project.query("select table_name from information_schema.tables order by 1") == [
        ("customer",),
        ("loaded_files",),
    ]
    assert project.query("select count(*) from shopify.customer") == [(2,)]


def test_a_truncated_parquet_leaves_the_earlier_table(project: SmallProject) -> None:
    """For a nightly load: a file cut off on the way does not cost yesterday's table."""
    path = project.root / "raw/stripe/charge.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.table({"id": list(range(5000))}), path)
    assert project.run("load", "raw").code == 0
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    assert project.run("load", "raw").code == 2
    path.write_bytes(whole[:100] + b"\0" * 50 + whole[150:])
    assert project.run("load", "raw").code == 2
    assert project.query("select count(*) from stripe.charge") == [(5000,)]


def test_unknown_folders_are_skipped_aloud_and_sample_notes_in_silence(
    project: SmallProject,
) -> None:
    """For whoever misspells a source: the folder is named; truth and sample.json are no tables."""
    write(project.root / "raw/stripe/customer.csv", CUSTOMERS)
    write(project.root / "raw/strype/customer.csv", CUSTOMERS)
    write(project.root / "raw/truth/records.csv", CUSTOMERS)
    write(project.root / "raw/sample.json", "{}")
    outcome = project.run("load", "raw")
    assert outcome.code == 0
    assert "strype" in outcome.out
    assert "truth" not in outcome.out


def test_wrong_use_is_told_in_one_message(project: SmallProject) -> None:
    """For a beginner: a missing folder, no table, two files of a table, an unknown source."""
    assert "There is no folder" in project.run("load", "nowhere").err
    (project.root / "bare").mkdir()
    assert "holds no raw table" in project.run("load", "bare").err
    write(project.root / "raw/stripe/customer.csv", CUSTOMERS)
    assert "shopify, stripe" in project.run("load", "raw", "--sources", "sap").err
    write(project.root / "raw/stripe/customer.jsonl", '{"id":1}\n')
    twice = project.run("load", "raw")
    assert twice.code == 2
    assert "both hold the table stripe.customer" in twice.err


def test_the_schema_of_a_source_can_be_named(project: SmallProject) -> None:
    """For a warehouse where stripe lies in another schema: `stripe_schema` is honoured."""
    path = project.root / "dbt_project.yml"
    path.write_text(path.read_text() + "  stripe_schema: raw_stripe\n")
    write(project.root / "raw/stripe/customer.csv", CUSTOMERS)
    assert project.run("load", "raw").code == 0
    assert project.query("select count(*) from raw_stripe.customer") == [(2,)]


def test_an_empty_table_is_a_table(project: SmallProject) -> None:
    """For a quiet source: a header without rows becomes a table without rows."""
    write(project.root / "raw/stripe/customer.csv", "id,email\n")
    assert project.run("load", "raw").code == 0
    assert project.query("select count(*) from stripe.customer") == [(0,)]


def test_other_engines_and_ambiguous_names_are_refused(
    project: SmallProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For whoever points it elsewhere: Postgres cannot be loaded, `kindred.duckdb` is ambiguous."""
    write(project.root / "raw/stripe/customer.csv", CUSTOMERS)
    assert "type 'postgres'" in project.run("load", "raw", "--target", "postgres").err
    monkeypatch.setenv("KINDRED_DATABASE", "kindred.duckdb")
    assert "cannot tell apart" in project.run("load", "raw").err

"""Raw files as an enemy writes them: no row is lost in silence, no value is changed in silence."""

from __future__ import annotations

import csv
import io
import json
import os
import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli_project import SmallProject, make_project, write
from hostile_values import HOSTILE, LONG, WITH_NUL, odd_text
from kindred.warehouse import loading, loading_postgres
from kindred.warehouse.raw_files import SUFFIXES, RawFile, csv_header
from postgres_server import PostgresDatabase, PostgresServer

Rows = list[tuple[str | None, ...]]


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> SmallProject:
    return make_project(tmp_path, monkeypatch, capsys)


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> Iterator[PostgresDatabase]:
    """A database that the tests of this file share."""
    with postgres.new_database() as found:
        yield found


def on_duckdb(files: list[RawFile]) -> dict[str, tuple[loading.LoadedTable, Rows]]:
    """Load files into a DuckDB in memory: what became of each table, and its rows as text."""
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'; set enable_progress_bar = false")
        done = loading.load_files(connection, tuple(files), str)
        found = {}
        for table in done:
            rows: Rows = []
            if table.outcome != "broken":
                query = f"select cast(columns(*) as text) from {table.relation}"
                rows = connection.execute(query).fetchall()
            found[table.file.table] = (table, rows)
        return found


def on_postgres(
    files: list[RawFile], database: PostgresDatabase
) -> dict[str, tuple[loading.LoadedTable, Rows]]:
    """The same on Postgres, in a schema that was not there before."""
    with closing(database.connect()) as connection:
        for source in {file.source for file in files}:
            with connection.cursor() as cursor:
                cursor.execute(f'drop schema if exists "{source}" cascade')
        done = loading_postgres.load_files(connection, tuple(files), str)
        found = {}
        for table in done:
            rows: Rows = []
            if table.outcome != "broken":
                with connection.cursor() as cursor:
                    cursor.execute(f"select * from {table.relation} limit 0")
                    columns = ", ".join(
                        'cast("' + column.name.replace('"', '""') + '" as text)'
                        for column in cursor.description
                    )
                    cursor.execute(f"select {columns} from {table.relation}")
                    rows = cursor.fetchall()
            found[table.file.table] = (table, rows)
        return found


def raw_file(folder: Path, table: str, suffix: str, content: str | bytes) -> RawFile:
    return RawFile("odd", table, write(folder / "odd" / f"{table}{suffix}", content))


def as_csv(
    rows: Rows, delimiter: str = ",", lineterminator: str = "\n", quote_all: bool = False
) -> str:
    """CSV (RFC 4180): in quotes what holds a separator, a quote or a line end of any kind."""

    def cell(value: str | None) -> str:
        text = value or ""
        if quote_all or any(sign in text for sign in f'{delimiter}"\r\n'):
            return '"' + text.replace('"', '""') + '"'
        return text

    return "".join(delimiter.join(map(cell, row)) + lineterminator for row in rows)


def as_json_lines(names: tuple[str, ...], rows: Rows) -> str:
    return "".join(
        json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) + "\n" for row in rows
    )


def test_hostile_values_arrive_unharmed_from_every_format_on_both_engines(
    tmp_path: Path, database: PostgresDatabase
) -> None:
    """SQL, templates, markup, control signs, a megabyte, emoji: what is written is what is held."""
    values = [*HOSTILE.values(), LONG, LONG[::-1]]
    names = ("id", "value", "other")
    rows: Rows = [(str(n), value, value) for n, value in enumerate(values)]
    table = pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
    files = [
        raw_file(tmp_path, "commas", ".csv", as_csv([names, *rows])),
        raw_file(tmp_path, "tabs", ".csv", as_csv([names, *rows], delimiter="\t")),
        raw_file(tmp_path, "lines", ".jsonl", as_json_lines(names, rows)),
        RawFile("odd", "columns", tmp_path / "odd" / "columns.parquet"),
    ]
    pq.write_table(table, files[-1].path)
    for found in (on_duckdb(files), on_postgres(files, database)):
        for name in ("commas", "tabs", "lines", "columns"):
            loaded, held = found[name]
            assert (loaded.outcome, loaded.problem, loaded.notes) == ("loaded", "", ())
            assert held == rows, name


def test_the_character_with_code_0_is_left_out_and_told(
    tmp_path: Path, database: PostgresDatabase
) -> None:
    """Postgres cannot hold it, so neither engine does; how many values held it is said."""
    rows: Rows = [("1", WITH_NUL), ("2", "plain"), ("3", "\0"), ("4", "\0\0x")]
    files = [
        raw_file(tmp_path, "commas", ".csv", as_csv([("id", "value"), *rows])),
        raw_file(
            tmp_path,
            "lines",
            ".jsonl",
            "".join(json.dumps({"id": i, "value": v}) + "\n" for i, v in rows),
        ),
        RawFile("odd", "columns", tmp_path / "odd" / "columns.parquet"),
        RawFile("odd", "lists", tmp_path / "odd" / "lists.parquet"),
    ]
    ids, values = map(list, zip(*rows, strict=True))
    pq.write_table(pa.table({"id": ids, "value": values}), files[2].path)
    pq.write_table(pa.table({"id": ids, "value": [[value] for value in values]}), files[3].path)
    wanted = [("1", "nulin the middle"), ("2", "plain"), ("3", None), ("4", "x")]
    told = ("the character with code 0 was left out of 3 values",)
    for found in (on_duckdb(files), on_postgres(files, database)):
        for name in ("commas", "lines", "columns"):
            assert (found[name][0].notes, found[name][1]) == (told, wanted), name
        assert found["lists"][0].notes == told
        assert [row[1] for row in found["lists"][1]][1:] == ["[plain]", "[]", "[x]"]


ODD_COLUMNS = (
    "id", 'say "so"', "it's", "select", "a b", "{{ x }}", "<b>", "=1+1", "ß🙂", "%s", "a\\b", "$1",
    "drop table x; --", "n" * 300, "m" * 70 + "1", "m" * 70 + "2",
)  # fmt: skip


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_columns_may_have_any_name(tmp_path: Path, database: PostgresDatabase, suffix: str) -> None:
    """Quotes, keywords, templates and long names are names; Postgres's short ones are told."""
    row = tuple(str(number) for number in range(len(ODD_COLUMNS)))
    if suffix == ".csv":
        file = raw_file(tmp_path, "t", suffix, as_csv([ODD_COLUMNS, row]))
    elif suffix == ".jsonl":
        file = raw_file(tmp_path, "t", suffix, as_json_lines(ODD_COLUMNS, [row]))
    else:
        file = RawFile("odd", "t", tmp_path / "odd" / "t.parquet")
        file.path.parent.mkdir()
        pq.write_table(pa.table({n: [v] for n, v in zip(ODD_COLUMNS, row, strict=True)}), file.path)
    loaded, held = on_duckdb([file])["t"]
    assert (loaded.outcome, held, loaded.notes) == ("loaded", [row], ())
    loaded, held = on_postgres([file], database)["t"]
    assert (loaded.outcome, held) == ("loaded", [row]), loaded.problem
    assert len(loaded.notes) == 3
    assert all("is called" in note and len(note) < 250 for note in loaded.notes)


def test_a_long_header_and_separators_in_quotes(tmp_path: Path) -> None:
    """A name longer than the reader's own limit, and one that looks like several."""
    names = ("id", "n" * 200_000, 'a;b;c;d"e', "x")
    for number, ending in enumerate(("\n", "\r\n", "\r")):
        text = as_csv([names, ("1", "2", "3", "4")], lineterminator=ending)
        file = raw_file(tmp_path, f"t{number}", ".csv", text)
        loaded, held = on_duckdb([file])[f"t{number}"]
        assert (loaded.problem, held) == ("", [("1", "2", "3", "4")])


def test_a_folder_whose_name_is_a_pattern_or_a_partition(tmp_path: Path) -> None:
    """The file that is named is read, no other one, and no column is made of a folder's name."""
    for suffix in SUFFIXES:
        for folder in ("data [1]*", "day=2026-01-01", "it's; drop"):
            file = RawFile("odd", "t", tmp_path / folder / f"t{suffix}")
            write(file.path, "id\n1\n" if suffix == ".csv" else '{"id":"1"}\n')
            if suffix == ".parquet":
                pq.write_table(pa.table({"id": ["1"]}), file.path)
            loaded, held = on_duckdb([file])["t"]
            assert (loaded.problem, held) == ("", [("1",)]), (folder, suffix)


BROKEN = {
    "half a character": (".jsonl", '{"id":"\\ud83d"}\n', "line 1: half of a character"),
    "half, as bytes": (".jsonl", b'{"id":1}\n{"id":"\xed\xa0\x80"}\n', "line 2, column 8: not UTF"),
    "half, in csv": (".csv", b"id,v\n1,\xed\xa0\x80\n", "line 2, column 3: not UTF-8"),
    "utf-16": (".csv", "id,v\n1,2\n".encode("utf-16"), "line 1: the header is not UTF-8"),
    "utf-16 without mark": (".csv", "id,v\n1,2\n".encode("utf-16-le"), "character with code 0"),
    "lines in a name": (".csv", 'id,"v\nw"\r\n1,2\r\n', "line 1: a column name has a line break"),
    "line after a name": (".csv", 'id,"v \n"\r\n1,2\r\n', "line 1: a column name has a line break"),
    "open quote": (".csv", 'id,"v\n1,2\n', "line 1: "),
    "torn late": (".csv", f"id,v\n1,{'🙂' * 600_000}\n2\n", "line 3: 1 values"),
    "deep": (".jsonl", '{"id":' + "[" * 100_000 + "]" * 100_000 + "}\n", "line 1: nested deeper"),
    "two spellings": (".jsonl", '{"id":1}\n{"ID":2}\n', "differ by upper and lower case only"),
    "no key": (".jsonl", '{"id":1,"":2}\n', "a key is empty"),
    "key with code 0": (".jsonl", '{"i\\u0000d":1}\n', "a key holds the character with code 0"),
    "two line ends at once": (
        ".csv",
        b"\xef\xbb\xbfid\n\r\n",
        "line 2: ends unlike the lines before",
    ),
    "two line ends": (".csv", 'id\n"a\n\r\nb"\n\r\nc\n', "line 5: ends unlike the lines before"),
    "scalars": (".jsonl", "1\n2\n", "line 1: not a JSON object"),
}


def test_line_ends_within_quotes_are_not_mixed(tmp_path: Path) -> None:
    """In a file of one column a blank line is a row, and only one outside quotes counts."""
    rows: Rows = [('"\n\r\n',), (None,), ("a\n\r\nb",)]
    for ending in ("\n", "\r\n"):
        text = as_csv([("id",), *rows], lineterminator=ending)
        _, held = on_duckdb([raw_file(tmp_path, "t", ".csv", text)])["t"]
        assert held == rows


@pytest.mark.parametrize("case", list(BROKEN))
def test_what_cannot_be_read_is_told_by_its_line(tmp_path: Path, case: str) -> None:
    """For whoever mends a file: no crash, no guess, and no value in the message."""
    suffix, content, told = BROKEN[case]
    loaded, _ = on_duckdb([raw_file(tmp_path, "t", suffix, content)])["t"]
    assert loaded.outcome == "broken"
    assert told in loaded.problem
    assert len(loaded.problem) < 200


def test_twin_columns_of_parquet_are_refused(tmp_path: Path) -> None:
    """`id` and `ID` are one column to both engines; the second one would lose its name."""
    file = RawFile("odd", "t", tmp_path / "t.parquet")
    pq.write_table(pa.table([["1"], ["2"]], names=["id", "ID"]), file.path)
    loaded, _ = on_duckdb([file])["t"]
    assert "columns 1 and 2 have the same name 'ID'" in loaded.problem


def test_every_digit_of_a_number_in_json_is_kept(tmp_path: Path) -> None:
    """A long id written as a number stays itself, also where a fraction stands beside it."""
    text = '{"id":12345678901234567890123,"n":1.5}\n{"id":9007199254740993,"n":2}\n{"id":0.5}\n'
    _, held = on_duckdb([raw_file(tmp_path, "t", ".jsonl", text)])["t"]
    assert [row[0] for row in held] == ["12345678901234567890123", "9007199254740993", "0.5"]


def test_rows_of_many_kinds_keep_their_columns(tmp_path: Path) -> None:
    """For event exports: hundreds of keys, each in one row only, are hundreds of columns."""
    text = "".join(json.dumps({"id": str(n), f"k{n}": "x"}) + "\n" for n in range(300))
    _, held = on_duckdb([raw_file(tmp_path, "t", ".jsonl", text)])["t"]
    assert len(held) == 300
    assert sum(value == "x" for row in held for value in row) == 300


def test_moments_that_only_one_engine_can_write(tmp_path: Path, database: PostgresDatabase) -> None:
    """Infinity and years beyond 9999 arrive as the same text on both, and break neither."""
    file = RawFile("odd", "t", tmp_path / "t.parquet")
    query = (
        "select unnest(['infinity', '-infinity', '20000-01-01', '0044-03-15 (BC)'])::date as day,"
        " unnest(['infinity', '-infinity', '20000-01-01', '1000-01-01'])::timestamp as moment"
    )
    with duckdb.connect() as connection:
        connection.execute(f"copy ({query}) to '{file.path}' (format parquet)")
    ours, theirs = on_duckdb([file])["t"], on_postgres([file], database)["t"]
    assert theirs[0].problem == ""
    assert ours[1] == theirs[1]


def test_more_columns_than_postgres_holds_is_told(
    tmp_path: Path, database: PostgresDatabase
) -> None:
    """A limit of one engine is said in words, with its number."""
    names = tuple(f"c{number}" for number in range(1_700))
    file = raw_file(tmp_path, "t", ".csv", as_csv([names]))
    assert on_duckdb([file])["t"][0].outcome == "loaded"
    assert (
        "1,700 columns, and a table in Postgres 1,600"
        in on_postgres([file], database)["t"][0].problem
    )


ODD_FILES = [
    "a b",
    "a;drop",
    "x'y",
    'x"y',
    "1st",
    "a.b",
    "ünï",
    "x\n",
    "\x1b[31m",
    "a" * 64,
    "[red]",
]


@pytest.mark.parametrize("name", ODD_FILES)
@pytest.mark.parametrize("target", ["duckdb", "postgres"])
def test_a_file_that_cannot_name_a_table_is_refused(
    project: SmallProject, name: str, target: str
) -> None:
    """Before anything is opened: the file is named in harmless letters, with what to do."""
    write(project.root / "raw/stripe" / f"{name}.csv", "id\n1\n")
    ended = project.run("load", "raw", "--target", target)
    assert ended.code == 2
    assert "cannot name a table" in ended.err
    assert "letters, digits and underscores" in ended.err
    assert "\x1b[31m" not in ended.err
    assert not project.database.exists()


def test_folders_and_files_with_odd_names_are_passed_over_aloud(project: SmallProject) -> None:
    """Whatever lies beside the tables is named, steers no terminal and ends no run."""
    write(project.root / "raw/stripe/customer.csv", "id\n1\n")
    write(project.root / "raw/stripe/[bold]notes.txt", "x")
    write(project.root / "raw/[red] \x1b[2J/customer.csv", "id\n1\n")
    (project.root / "raw/stripe/charge.csv").mkdir()
    (project.root / "raw" / os.fsdecode(b"caf\xe9")).mkdir()
    ended = project.run("load", "raw")
    assert ended.code == 0, ended.text
    for told in ("[red] \\x1b[2J/", "caf\\udce9/", "[bold]notes.txt", "charge.csv"):
        assert told in ended.out
    assert "\x1b[2J" not in ended.out
    assert project.query("select * from stripe.customer") == [("1",)]


def test_the_note_of_left_out_characters_is_shown(project: SmallProject) -> None:
    """For whoever loads: the table and the number of values stand below the list of tables."""
    write(project.root / "raw/stripe/customer.csv", "id,name\n1,a\0b\n")
    ended = project.run("load", "raw")
    assert "Note stripe.customer: the character with code 0 was left out of 1 value." in ended.out


# Random files. A file is written from rows that are known, in any dialect; then broken, or not.
FILES = 120


@pytest.mark.parametrize("seed", range(2))
def test_no_row_of_a_random_file_is_lost(
    seed: int, tmp_path: Path, database: PostgresDatabase
) -> None:
    """Each file is loaded whole, every value as written, or refused with words; on both engines."""
    check_random_files(seed, FILES, tmp_path, database)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 130))
def test_no_row_of_many_random_files_is_lost(
    seed: int, tmp_path: Path, database: PostgresDatabase
) -> None:
    """The same, for longer."""
    check_random_files(seed, 10 * FILES, tmp_path, database)


def check_random_files(seed: int, count: int, folder: Path, database: PostgresDatabase) -> None:
    rng = random.Random(seed)
    made = [random_file(rng, folder, f"t{number}") for number in range(count)]
    files = [file for file, _ in made]
    wanted = {file.table: rows for file, rows in made}
    # The same eyes read the files for both, so that a part of them tells for Postgres.
    ours, theirs = on_duckdb(files), on_postgres(files[::6], database)
    outcomes = {"loaded": 0, "broken": 0}
    for name, (loaded, held) in ours.items():
        outcomes[loaded.outcome] += 1
        other, held_there = theirs.get(name, (loaded, held))
        assert (loaded.outcome, loaded.rows) == (other.outcome, other.rows)
        assert loaded.problem == other.problem
        if loaded.outcome == "broken":
            assert loaded.problem
            assert wanted[name] is None, (loaded.file.path, loaded.problem)
            continue
        assert held == held_there, loaded.file.path
        assert loaded.rows == len(held)
        if wanted[name] is not None:
            assert held == wanted[name], loaded.file.path
        else:
            assert len(held) == rows_by_eye(loaded.file.path), loaded.file.path
    assert min(outcomes.values()) > count / 20


def random_file(rng: random.Random, folder: Path, name: str) -> tuple[RawFile, Rows | None]:
    """A file and the rows it holds; None for one that was broken by chance."""
    width = rng.randint(1, 5)
    names = tuple(f"c{n}{rng.choice(('', ' x', 'ü', chr(39)))}" for n in range(width))
    rows: Rows = [tuple(random_cell(rng) for _ in range(width)) for _ in range(rng.randint(1, 20))]
    if rng.random() < 0.4:
        suffix, content = ".jsonl", as_json_lines(names, rows).encode()
    else:
        delimiter = rng.choice(",;\t|") if width > 1 else ","
        ending = rng.choice(("\n", "\r\n", "\r"))
        text = as_csv([names, *rows], delimiter, ending, quote_all=rng.random() < 0.5)
        suffix = ".csv"
        # Of a single column, nothing behind the last line end is no row.
        if rng.random() < 0.3 and width > 1:
            text = text.removesuffix(ending)
        content = rng.choice((b"", b"\xef\xbb\xbf")) + text.encode()
    is_broken = rng.random() < 0.4
    if is_broken:
        content = broken(rng, content)
    file = raw_file(folder, name, suffix, content)
    wanted = [tuple(as_held(value, suffix) for value in row) for row in rows]
    return file, None if is_broken else wanted


def random_cell(rng: random.Random) -> str | None:
    if rng.random() < 0.15:
        return None
    text = odd_text(rng, rng.choice((1, 3, 12)))
    return text + "\0" if rng.random() < 0.02 else text


def as_held(value: str | None, suffix: str) -> str | None:
    """What a cell is in the table: nothing where it is blank, and never the character 0."""
    cleaned = None if value is None else value.replace("\0", "")
    had_nul = cleaned != value
    return None if cleaned == "" and (suffix == ".csv" or had_nul) else cleaned


def broken(rng: random.Random, content: bytes) -> bytes:
    """The file with a part cut out, doubled or overwritten."""
    start = rng.randint(1, max(1, len(content) - 1))
    end = min(len(content), start + rng.choice((1, 2, 10, 10_000)))
    part = rng.choice((b"", content[start:end] * 2, b"\xff", b'"', b"\n", b"\xc3(", b"{"))
    return content[:start] + part + content[end:]


def rows_by_eye(path: Path) -> int:
    """Rows of a file as another program counts them; a blank line is one where a row is a value."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        text = stream.read()
    if path.suffix == ".jsonl":
        return sum(bool(line.strip()) for line in text.split("\n"))
    delimiter, names = csv_header(path)
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))[1:]
    return sum(bool(row) or len(names) == 1 for row in rows)

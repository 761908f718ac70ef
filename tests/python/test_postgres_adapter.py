"""The adapter type `postgrespy`: Python models on Postgres; installing Kindred brings it."""

from __future__ import annotations

import datetime
import subprocess
import sys
import sysconfig
from decimal import Decimal
from pathlib import Path

import pytest

from postgres_server import PostgresDatabase, PostgresServer
from whole_project import REPOSITORY, Ended, WholeProject, plain_environment

PROJECT = """\
name: kindred
version: "0.1.0"
config-version: 2
profile: kindred
model-paths: [models]
flags: {send_anonymous_usage_stats: false, validate_macro_args: true}
"""
GIVEN = """
select id, words, is_good, cast(amount as numeric(12, 4)) as amount, ratio, day, moment, content
from (
    values
    (
        1, 'plain', true, 1.25, 0.1, date '2026-01-02',
        timestamp '2026-01-02 03:04:05.000006', '\\x00ff'::bytea
    ),
    (
        2, '', false, -7.5, 'NaN'::double precision, date '0099-12-31',
        timestamp '1969-12-31 23:59:59', ''::bytea
    ),
    (3, null, null, null, null, null, null, null),
    (
        4, E'two\\nlines, "quoted", \\\\N \\\\. ''x''', true, 0, -0.5, date '9999-12-31',
        timestamp '2026-07-01', '\\x0a'::bytea
    ),
    (5, 'Zoë 🙂 אב', null, 12345678.9012, 1e300, null, null, null)
) as given (id, words, is_good, amount, ratio, day, moment, content)
"""
# One model of each kind of return value; each gives back what it was given.
MODELS = {
    "as_relation": "return given",
    "as_arrow": "return given.to_arrow_table()",
    "as_batches": "return given.to_arrow_table().to_reader(2)",
    "as_frame": "return given.select('id, words').df()",
    "as_nothing": "return given.filter('id > 100')",
    "configured": "return given.filter(f\"id = {dbt.config.get('chosen')}\")",
}
# Models that cannot work, and what each must tell.
FAILURES = {
    "fails_at_once": ('return {}["no such town"]', "no such town"),
    "fails_at_types": ("return given.aggregate('list(id) as ids')", "cannot take"),
    "fails_at_writing": ("return given.project('id, chr(0) as words')", "code 0"),
}
# A table and a view on it whose columns can change from run to run.
WIDTH = "{{ ', words' if var('is_wide', true) else '' }}"
NAMED = "{{ config(materialized='table') }} select id" + WIDTH + " from {{ ref('given') }}"
SEEN = "select id" + WIDTH + " from {{ ref('named') }}"
# What people made around the project's tables between two runs.
AROUND = (
    "create view public.watched as select words from kindred.as_frame where id < 4",
    "create view public.of_named as select id from kindred.named",
    "create view public.of_words as select words from kindred.named",
    "create view public.of_seen as select id from kindred.seen",
    "grant select on kindred.as_frame, kindred.named to public",
)
CONFIGURED = """
models:
  - name: configured
    description: One chosen row.
    config:
      chosen: 4
      unlogged: true
      indexes: [{columns: [id], unique: true}]
      persist_docs: {relation: true}
"""


def python_model(body: str) -> str:
    """A Python model that reads `given`."""
    return f'def model(dbt, session):\n    given = dbt.ref("given")\n    {body}\n'


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> object:
    """A database for the tests of this file."""
    with postgres.new_database() as database:
        yield database


@pytest.fixture(scope="module")
def built(database: PostgresDatabase, tmp_path_factory: pytest.TempPathFactory) -> WholeProject:
    """A small project with Python models, run twice on Postgres."""
    root = tmp_path_factory.mktemp("adapter")
    (root / "models").mkdir()
    (root / "dbt_project.yml").write_text(PROJECT)
    (root / "profiles.yml").write_text((REPOSITORY / "profiles.example.yml").read_text())
    (root / "models" / "given.sql").write_text("{{ config(materialized='table') }}" + GIVEN)
    (root / "models" / "models.yml").write_text(CONFIGURED)
    for name, body in MODELS.items():
        (root / "models" / f"{name}.py").write_text(python_model(body))
    (root / "models" / "named.sql").write_text(NAMED)
    (root / "models" / "seen.sql").write_text(SEEN)
    for name, (body, _) in FAILURES.items():
        (root / "models" / f"{name}.py").write_text(python_model(body))
    project = WholeProject(root, plain_environment(**database.environment))
    project.dbt("run", "--target", "postgres", "--exclude", *FAILURES).expect()
    database.execute(*AROUND)
    project.dbt("run", "--target", "postgres", "--exclude", *FAILURES).expect()
    return project


@pytest.mark.parametrize("name", ["as_relation", "as_arrow", "as_batches"])
def test_values_survive_a_python_model(
    built: WholeProject, database: PostgresDatabase, name: str
) -> None:
    """Every type and every awkward text comes out of a Python model as it went in."""
    rows = database.query(f"select * from kindred.{name} order by id")
    given = database.query("select * from kindred.given order by id")
    assert [row[0] for row in rows] == [1, 2, 3, 4, 5]
    for row, wanted in zip(rows, given, strict=True):
        for value, other in zip(row, wanted, strict=True):
            same = value == other or (value != value and other != other)
            held = bytes(value) == bytes(other) if isinstance(value, memoryview) else same
            assert held, (row, wanted)
    assert rows[0][3] == Decimal("1.25")
    assert rows[0][6] == datetime.datetime(2026, 1, 2, 3, 4, 5, 6)
    assert rows[1][1] == ""
    assert rows[2][1] is None


def test_types_survive_a_python_model(built: WholeProject, database: PostgresDatabase) -> None:
    """The columns of a Python model's table have the types of the values it returned."""
    types = """
        select column_name, data_type, numeric_precision from information_schema.columns
        where table_schema = 'kindred' and table_name = '{}' order by ordinal_position
    """
    wanted = database.query(types.format("given"))
    assert database.query(types.format("as_arrow")) == wanted
    assert database.query(types.format("as_nothing")) == wanted
    assert database.query("select count(*) from kindred.as_nothing") == [(0,)]
    assert database.query("select count(*) from kindred.as_frame") == [(5,)]


def test_configuration_holds_for_python_models(
    built: WholeProject, database: PostgresDatabase
) -> None:
    """A Python model has its config; its table is unlogged, indexed and described as asked."""
    assert database.query("select id from kindred.configured") == [(4,)]
    ((persistence, described),) = database.query(
        "select relpersistence, obj_description(oid) from pg_class where relname = 'configured'"
    )
    assert (persistence, described) == ("u", "One chosen row.")
    indexes = database.query("select indexdef from pg_indexes where tablename = 'configured'")
    assert len(indexes) == 1 and "UNIQUE" in indexes[0][0]


def test_a_failing_python_model_leaves_the_old_table(
    built: WholeProject, database: PostgresDatabase
) -> None:
    """A model that fails names its error and leaves neither a half table nor a temporary one."""
    for name in FAILURES:
        database.execute(f"create table kindred.{name} as select 7 as id")
    ended = built.dbt("run", "--target", "postgres", "--select", *FAILURES).expect(1)
    for name, (_, told) in FAILURES.items():
        assert told in ended.text
        assert database.query(f"select * from kindred.{name}") == [(7,)]
    left = database.query("select relname from pg_class where relname like '%dbt_tmp%'")
    assert left == []


def test_a_rebuild_keeps_what_hangs_on_a_table(
    built: WholeProject, database: PostgresDatabase
) -> None:
    """Views of other people read the new rows, grants are still there, nothing is left over."""
    database.execute("update kindred.as_frame set words = 'of the table that is there now'")
    told = [("of the table that is there now",)] * 3
    assert database.query("select words from public.watched") == told
    for name in ("as_frame", "named"):
        grants = database.query(
            "select privilege_type from information_schema.table_privileges "
            f"where grantee = 'PUBLIC' and table_schema = 'kindred' and table_name = '{name}'"
        )
        assert grants == [("SELECT",)]
    assert database.query("select count(*) from public.of_seen") == [(5,)]
    assert database.query("select relname from pg_class where relname like '%dbt_backup%'") == []


def test_a_view_without_its_columns_is_dropped_with_a_word(
    built: WholeProject, database: PostgresDatabase
) -> None:
    """Where a table loses a column, only the views that read it go, and the run says so."""
    narrow = ("--select", "named", "seen", "--vars", "{is_wide: false}")
    ended = built.dbt("run", "--target", "postgres", *narrow).expect()
    assert "The view public.of_words was dropped" in ended.text
    assert database.query("select count(*) from public.of_named") == [(5,)]
    assert database.query("select to_regclass('public.of_words')") == [(None,)]
    assert database.query("select * from kindred.seen order by id limit 1") == [(1,)]


LOOK = """
import pathlib, dbt.adapters.factory as factory, kindred
found = factory.FACTORY.load_plugin("postgrespy")
plugin = factory.FACTORY.plugins["postgrespy"]
macros = sorted(path.name for path in pathlib.Path(plugin.include_path).rglob("*.sql"))
print(found.__name__, macros, pathlib.Path(plugin.include_path, "dbt_project.yml").is_file())
print(kindred.__file__)
"""


@pytest.mark.parametrize("way", ["wheel", "editable"])
def test_installing_kindred_brings_the_adapter(tmp_path: Path, way: str) -> None:
    """After a plain or an editable pip install dbt knows `type: postgrespy` and its macros."""
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "python"):
        call("cp", "-r", str(REPOSITORY / name), str(source))
    call("find", str(source), "-name", "*.egg-info", "-prune", "-exec", "rm", "-r", "{}", "+")
    # An environment with every library of this one, but not this one's Kindred.
    home = tmp_path / "venv"
    call(sys.executable, "-m", "venv", "--without-pip", str(home))
    packages = next((home / "lib").glob("python3*/site-packages"))
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--target", str(packages)]
    editable = ["--editable"] if way == "editable" else []
    call(sys.executable, "-m", "pip", "install", *options, *editable, str(source))
    told = call(str(home / "bin" / "python"), "-c", LOOK).splitlines()
    macros = [
        "incremental.sql", "relations.sql", "statistics.sql", "table.sql", "unit.sql", "view.sql",
    ]  # fmt: skip
    assert told[0] == f"PostgresPyCredentials {macros} True"
    place = source if way == "editable" else packages
    assert told[1] == str(place / ("python/" * (way == "editable")) / "kindred" / "__init__.py")


def call(*command: str) -> str:
    """What a command prints; it must end well."""
    environment = {
        name: value for name, value in plain_environment().items() if name != "PYTHONPATH"
    }
    done = subprocess.run(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return Ended(done.returncode, done.stdout).expect().text

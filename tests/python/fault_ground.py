"""Where faults are tried: a small published warehouse, copied for each, on either engine.

Two sources and fifty people. The first batch lacks some customers, contacts and old charges; it is
built and published. The second has them all; `told` is what a run without any fault makes of it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import duckdb

from conftest import sample_as_of
from postgres_server import PostgresDatabase, PostgresServer, embedded_server
from whole_project import Ended, WholeProject, copy_project

EngineName = Literal["duckdb", "postgres"]
SOURCES = "salesforce,stripe"
# What a run says of itself, and what the next run, with a number of its own, says otherwise.
OF_THE_RUN = ("run_id",)
GAIN_ROWS = {"kindred.run_history", "kindred.identity_health", "kindred.data_quality_results"}
# Rows of the whole sample that the first batch has not got.
LATER = {
    "salesforce/contact": "hash(id) % 4 = 0",
    "stripe/customer": "hash(id) % 4 = 0",
    "stripe/charge": "hash(id) % 5 = 0",
}

# In the folder that trials share: the data of a stopped server, and the name of its database.
OWN_SERVER, NOTE = "server", "server.json"

Hashes = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Ground:
    """A warehouse to try one fault on.

    home: a folder that the trials of one engine share.
    """

    project: WholeProject
    engine: EngineName
    as_of: str
    database: PostgresDatabase | None = None
    home: Path | None = None

    def folder(self, batch: str) -> Path:
        """The raw files of a batch, to be loaded or changed first."""
        return self.project.root / batch

    def kindred(self, *arguments: str, **extra: str) -> Ended:
        """Run a command on this engine."""
        return self.project.kindred(*arguments, "--target", self.engine, **extra)

    def load(self, batch: str = "second", *options: str) -> Ended:
        """Load a batch."""
        return self.kindred("load", batch, "--sources", SOURCES, *options)

    def build_arguments(self, *options: str) -> tuple[str, ...]:
        """`kindred build` of the two sources, at the sample's moment unless told otherwise."""
        moment = () if "--as-of" in options else ("--as-of", self.as_of)
        return ("build", "--sources", SOURCES, *moment, "--target", self.engine, *options)

    def build(self, *options: str, **extra: str) -> Ended:
        """Build, check and publish."""
        return self.project.kindred(*self.build_arguments(*options), **extra)

    def struck(self, moment: str, deed: str, *arguments: str) -> Ended:
        """Run a command that a fault strikes; see fault_driver.py."""
        driver = str(Path(__file__).with_name("fault_driver.py"))
        child = subprocess.Popen(
            [sys.executable, driver, moment, deed, *arguments],
            cwd=self.project.root,
            env=dict(self.project.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        text, _ = child.communicate(timeout=900)
        return Ended(child.returncode, text)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query on the working database."""
        if self.database is not None:
            return self.database.query(sql)
        return self.project.query(sql)

    def execute(self, *statements: str) -> None:
        """Change the working database."""
        if self.database is not None:
            self.database.execute(*statements)
        else:
            self.project.execute(*statements)

    def tables(self, *schemas: str) -> list[str]:
        """Tables and views of schemas of the working database."""
        listed = ", ".join(f"'{schema}'" for schema in schemas)
        found = self.query(
            "select table_schema || '.' || table_name from information_schema.tables"
            f" where table_schema in ({listed}) order by 1"
        )
        return [str(name) for (name,) in found]

    def rows_of(self, table: str, without: tuple[str, ...] = OF_THE_RUN) -> tuple[str, ...]:
        """Number and order-independent hash of a table's rows, leaving columns out."""
        schema, name = table.split(".")
        found = self.query(
            "select column_name from information_schema.columns"
            f" where table_schema = '{schema}' and table_name = '{name}' order by ordinal_position"
        )
        columns = ", ".join(f'"{column}"' for (column,) in found if column not in without)
        hashed = (
            "hashtextextended(cast(row(t.*) as text), 0)"
            if self.database is not None
            else "hash(cast(t as text))"
        )
        sql = f"select count(*), sum({hashed}) from (select {columns} from {table}) as t"
        return tuple(str(value) for value in self.query(sql)[0])

    def marts(self) -> Hashes:
        """All that people read of the working database."""
        return {table: self.rows_of(table) for table in self.tables("kindred", "segments")}

    def published(self) -> Hashes:
        """All that is published: files byte for byte, or views row for row."""
        if self.database is not None:
            views = self.tables("published", "published_restricted")
            return {view: self.rows_of(view, ()) for view in views}
        current = self.project.root / "published" / "current"
        return {
            str(path.relative_to(current.parent)): (
                str(current.readlink()),
                hashlib.sha256(path.read_bytes()).hexdigest(),
            )
            for path in sorted(current.iterdir())
        }


def differing(one: Hashes, other: Hashes, but: set[str] | None = None) -> list[str]:
    """Tables that differ, or that only one of them has."""
    left_out = but or set()
    return [
        name
        for name in sorted({*one, *other})
        if one.get(name) != other.get(name) and name not in left_out
    ]


def prepare(root: Path, engine: EngineName, database: PostgresDatabase | None) -> Ground:
    """Make the batches; load, build and publish the first."""
    project = copy_project(root)
    if database is not None:
        project = replace(project, environment={**project.environment, **database.environment})
    project.kindred("sample", "--people", "50", "--companies", "5", "--out", "sample").expect()
    as_of = sample_as_of(project)
    for source in SOURCES.split(","):
        for path in sorted((root / "sample" / source).glob("*.parquet")):
            name = f"{source}/{path.stem}"
            _write_part(path, root / "second" / f"{name}.parquet", "true")
            _write_part(
                path, root / "first" / f"{name}.parquet", f"not ({LATER.get(name, 'false')})"
            )
    shutil.rmtree(root / "sample")
    ground = Ground(project, engine, as_of, database, root.parent)
    ground.load("first").expect()
    ground.build().expect()
    return ground


def _write_part(source: Path, target: Path, which: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select * from read_parquet('{source}') where {which}) to '{target}'"
        )


@contextmanager
def copied(ground: Ground, root: Path, server: PostgresServer | None) -> Iterator[Ground]:
    """The ground as it is, in a folder and a database of its own."""
    shutil.copytree(ground.project.root, root, symlinks=True)
    if ground.database is None or server is None:
        yield replace(ground, project=replace(ground.project, root=root))
        return
    with server.copied_database(ground.database) as database:
        here = replace(ground, project=replace(ground.project, root=root))
        yield _moved(here, database)


@contextmanager
def on_own_server(ground: Ground) -> Iterator[tuple[Ground, PostgresServer]]:
    """The first batch published on a server that may be stopped, with no other test's tables."""
    assert ground.home is not None
    if not (ground.home / NOTE).exists():
        _keep_a_server(ground)
    note = json.loads((ground.home / NOTE).read_text("utf-8"))
    with embedded_server(like=ground.home / OWN_SERVER) as server:
        yield _moved(ground, PostgresDatabase({**server.address, **note})), server


def _keep_a_server(ground: Ground) -> None:
    """Publish the first batch on an embedded server and keep its data, to be copied by trials."""
    assert ground.home is not None
    with embedded_server() as server, server.new_database() as database:
        moved = _moved(ground, database)
        moved.load("first").expect()
        moved.build().expect()
        server.stop()
        shutil.copytree(server.address["host"], ground.home / OWN_SERVER, symlinks=True)
        server.start_again()
    note = json.dumps({"dbname": database.address["dbname"]})
    (ground.home / NOTE).write_text(note, "utf-8")


def _moved(ground: Ground, database: PostgresDatabase) -> Ground:
    """The same folder with another database."""
    environment = {**ground.project.environment, **database.environment}
    project = WholeProject(ground.project.root, environment)
    return replace(ground, project=project, database=database)

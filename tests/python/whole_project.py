"""The whole project in a folder of its own, and a user's way of working in it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import duckdb

REPOSITORY = Path(__file__).resolve().parents[2]
ROOMS = ("models", "macros", "seeds", "tests", "analyses")
PRIVACY_KEY = "a key that only the tests know"
# The environment variable that names the folder of what dbt remembers of parsing (see conftest.py),
# and the arguments of a command that make it parse anew.
PARSED = "KINDRED_TESTS_PARSED"
_PARSED_BY = ("--profile", "--sources", "--target", "--vars")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "python", "*.duckdb")


def shared_data() -> Path | None:
    """The folder of real connector rows and labelled sets, where this machine has one."""
    given = os.environ.get("KINDRED_SHARED_DATA")
    places = [Path(given)] if given else [REPOSITORY.parent / "shared" / "data"]
    return next((place for place in places if place.is_dir()), None)


def plain_environment(**extra: str) -> dict[str, str]:
    """The environment without any setting of dbt, Kindred or a running CI."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DBT_", "KINDRED_", "PYTEST_", "MAKE", "MFLAGS", "GITHUB_"))
    }
    return {**kept, "COLUMNS": "200", "KINDRED_PRIVACY_KEY": PRIVACY_KEY, **extra}


@dataclass(frozen=True)
class Ended:
    """What a command printed and how it ended."""

    code: int
    text: str

    def expect(self, code: int = 0) -> Ended:
        """Itself, after making sure of its exit code."""
        assert self.code == code, f"ended with {self.code}, not {code}:\n{self.text[-6000:]}"
        return self


@dataclass(frozen=True)
class WholeProject:
    """A copy of the project in which commands run as a user would run them.

    part: which part of the project, where it is not the whole.
    """

    root: Path
    environment: Mapping[str, str] = field(default_factory=plain_environment)
    part: str = ""

    @property
    def database(self) -> Path:
        """The working database."""
        return self.root / "kindred_build.duckdb"

    def run(self, *command: str, timeout: int = 540, **extra: str) -> Ended:
        """Run a command in the project's folder."""
        done = subprocess.run(
            command,
            cwd=self.root,
            env={**self.environment, **extra},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
        )
        return Ended(done.returncode, done.stdout)

    def kindred(self, *arguments: str, **extra: str) -> Ended:
        """Run `kindred <arguments>`."""
        entry = "from kindred.cli import main; main()"
        with self.parsed_before(("kindred", *arguments)):
            return self.run(sys.executable, "-c", entry, *arguments, **extra)

    def dbt(self, *arguments: str, **extra: str) -> Ended:
        """Run `dbt <arguments>`."""
        entry = "from dbt.cli.main import cli; cli()"
        with self.parsed_before(("dbt", *arguments)):
            return self.run(sys.executable, "-c", entry, "--no-use-colors", *arguments, **extra)

    @contextmanager
    def parsed_before(self, command: tuple[str, ...]) -> Iterator[None]:
        """Lend dbt what it remembers of parsing the project, as any project of this session left
        it under the same settings.

        To parse takes seconds. dbt itself holds the files against what it remembers, parses those
        that differ, and all of them where settings do.
        """
        folder = os.environ.get(PARSED)
        if folder is None:
            yield
            return
        # kindred names the target in any case, which to dbt is another setting than none.
        asked = [f"{name}={value}" for name, value in pairwise(command) if name in _PARSED_BY]
        told = "|".join([self.part, command[0], *asked])
        known = Path(folder) / f"{hashlib.sha256(told.encode()).hexdigest()}.msgpack"
        own = self.root / "target" / "partial_parse.msgpack"
        settings = own.with_name("parsed_by.txt")
        is_own = own.exists() and settings.exists() and settings.read_text("utf-8") == told
        if known.exists() and not is_own:
            own.parent.mkdir(exist_ok=True)
            shutil.copyfile(known, own)
        yield
        if own.exists():
            settings.write_text(told, "utf-8")
            if not known.exists():
                copy = known.with_suffix(f".{os.getpid()}")
                shutil.copyfile(own, copy)
                copy.replace(known)

    def query(self, sql: str) -> list[tuple[object, ...]]:
        """Rows of a query on the working database."""
        with duckdb.connect(str(self.database), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def execute(self, *statements: str) -> None:
        """Change the working database."""
        with duckdb.connect(str(self.database)) as connection:
            for statement in statements:
                connection.execute(statement)

    def compiled(self, path: str) -> str:
        """SQL that dbt compiled for a file, such as models/marts/profiles/customers.sql."""
        return (self.root / "target" / "compiled" / "kindred" / path).read_text("utf-8")

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a text that stands once in a file."""
        file = self.root / path
        text = file.read_text("utf-8")
        assert text.count(old) == 1, f"{path} holds {text.count(old)} times: {old}"
        file.write_text(text.replace(old, new), "utf-8")


def copy_project(root: Path, *, with_profile: bool = True) -> WholeProject:
    """The project's files, without what runs made, in a new folder."""
    root.mkdir(parents=True)
    for room in ROOMS:
        if (REPOSITORY / room).is_dir():
            shutil.copytree(REPOSITORY / room, root / room, ignore=_LEFT_OUT)
    for name in ("dbt_project.yml", "profiles.example.yml"):
        shutil.copyfile(REPOSITORY / name, root / name)
    if with_profile:
        shutil.copyfile(REPOSITORY / "profiles.example.yml", root / "profiles.yml")
    return WholeProject(root)


def copy_files(root: Path) -> None:
    """What `git clone` gives of the project as it is now, without its history."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (REPOSITORY / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, root / name)

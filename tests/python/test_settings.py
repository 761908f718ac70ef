"""Settings as an enemy writes them: no var, option or variable reaches a statement unchecked."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli_project import SmallProject, make_project, write
from kindred.cli.build import _selection
from kindred.errors import KindredError
from kindred.project import checked_place
from whole_project import REPOSITORY, WholeProject, plain_environment

MISCHIEF = "x' as text)\"; drop table customers; -- {{ 7 * 7 }} $$ \\"
# The shapes in which a value may come, whatever shape the var has.
SHAPES: tuple[Any, ...] = (
    MISCHIEF,
    [MISCHIEF],
    {"person": MISCHIEF, MISCHIEF: [MISCHIEF]},
    {"person": [MISCHIEF], "account": {MISCHIEF: 1}},
)
PARSE_EACH = """
import sys, json
from dbt.cli.main import dbtRunner
for given in json.load(sys.stdin):
    ended = dbtRunner().invoke(["--quiet", "parse", "--no-partial-parse", "--vars", given])
    print(json.dumps(str(ended.exception or ended.success)))
"""


def declared_vars() -> dict[str, Any]:
    content = yaml.safe_load((REPOSITORY / "dbt_project.yml").read_text("utf-8"))
    found: dict[str, Any] = content["vars"]
    return found


def sources() -> list[str]:
    return sorted([*declared_vars()["sources"], "privacy"])


def told_of(project: Path, *variables: dict[str, Any]) -> list[str]:
    """What dbt says to each set of vars, in a project with nothing but our macros."""
    done = subprocess.run(
        [sys.executable, "-c", PARSE_EACH],
        cwd=project,
        env=plain_environment(),
        input=json.dumps([json.dumps(given) for given in variables]),
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith('"')]


@pytest.fixture(scope="module")
def messages(macros_project: Path) -> list[str]:
    """dbt's answer to every var of dbt_project.yml in each bad shape, to bad places, to good."""
    names = declared_vars()
    bad = [dict.fromkeys(names, shape) for shape in SHAPES]
    places = {
        f"{source}_{part}": MISCHIEF for source in sources() for part in ("schema", "database")
    }
    good = {"stripe_schema": "raw stripe-2", "sources": names["sources"], "as_of": "2026-06-30"}
    return told_of(
        macros_project, *bad, {"sources": names["sources"], "as_of": "x", **places}, good
    )


def named(message: str) -> set[str]:
    """The vars that a message names, each with its mend."""
    return set(re.findall(r"The var (\w+) (?:is|lists) n[^\n]+: write [^\n]+", message))


@pytest.mark.parametrize("shape", range(len(SHAPES)))
def test_every_var_refuses_mischief(messages: list[str], shape: int) -> None:
    """For whoever lets others set vars: each is named with its form. A new var must be checked too.

    It fails for a var of dbt_project.yml that `settings_problems` (macros/state) does not check.
    """
    assert set(declared_vars()) - named(messages[shape]) == set()
    assert "drop table" not in messages[shape]


def test_the_places_of_sources_refuse_mischief(messages: list[str]) -> None:
    """<source>_schema and <source>_database of every source, and of the suppression list."""
    wanted = {f"{source}_{part}" for source in sources() for part in ("schema", "database")}
    assert wanted <= named(messages[len(SHAPES)])


def test_good_settings_pass(messages: list[str]) -> None:
    """What dbt_project.yml says, and a schema with a blank in its name, are no problem."""
    assert messages[len(SHAPES) + 1] == "True"


def test_no_var_is_read_that_dbt_project_does_not_declare() -> None:
    """A var that only a model knows is checked by nobody: declare it, then the tests above ask."""
    known = set(declared_vars()) | {
        f"{source}_{part}" for source in sources() for part in ("schema", "database")
    }
    read: dict[str, str] = {}
    for room in ("models", "macros", "tests", "analyses", "seeds"):
        for path in (REPOSITORY / room).rglob("*.*"):
            if path.suffix in (".sql", ".yml", ".py") and "python" not in path.parts:
                for name in re.findall(r"\bvar\(\s*['\"](\w+)['\"]", path.read_text("utf-8")):
                    read[name] = str(path.relative_to(REPOSITORY))
    assert {name: path for name, path in read.items() if name not in known} == {}


def test_the_project_checks_its_settings_before_any_node(fresh_project: WholeProject) -> None:
    """A var that only Python reads stops dbt as well, at parse, before a statement is sent."""
    given = json.dumps({"identity_cut": {"person": "4; drop table x"}})
    ended = fresh_project.dbt("parse", "--vars", given)
    assert ended.code != 0
    assert named(ended.text) == {"identity_cut"}
    assert not fresh_project.database.exists()


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> SmallProject:
    found = make_project(tmp_path, monkeypatch, capsys)
    write(found.root / "raw/stripe/customer.csv", "id\n1\n")
    return found


def test_load_refuses_a_schema_that_ends_its_quotes(project: SmallProject) -> None:
    """The var is named before any table is made."""
    path = project.root / "dbt_project.yml"
    path.write_text(path.read_text() + f"  stripe_schema: {json.dumps(MISCHIEF)}\n")
    ended = project.run("load", "raw")
    assert ended.code == 2
    assert "The var stripe_schema is no name of a schema" in ended.err
    assert project.query("select * from information_schema.tables where table_name = 'x'") == []


ODD_OPTIONS = {
    "target": (("load", "raw", "--target", MISCHIEF), "The profile has no target"),
    "sources": (("load", "raw", "--sources", MISCHIEF), "Unknown source in --sources"),
    "vars": (("build", "--vars", "{"), "--vars is not valid YAML"),
    "vars of no mapping": (("build", "--vars", MISCHIEF.replace(":", "")), "--vars is not"),
    "steering signs": (("load", "raw", "--target", "\x1b[2Jx"), "no target '\\x1b[2Jx'"),
}


@pytest.mark.parametrize("case", list(ODD_OPTIONS))
def test_options_are_names_of_known_things(project: SmallProject, case: str) -> None:
    """An option that names nothing known is refused in one line, and is never a statement."""
    arguments, told = ODD_OPTIONS[case]
    ended = project.run(*arguments)
    assert ended.code == 2
    assert told in ended.err
    assert "Traceback" not in ended.text


def test_select_holds_no_option_of_dbt() -> None:
    """`kindred build --select` cannot smuggle another option into the command line of dbt."""
    assert _selection("customers+ tag:a") == ["--select", "customers+", "tag:a"]
    for given in ("--full-refresh", "customers --vars {}", "-x"):
        with pytest.raises(KindredError, match="--select names no node"):
            _selection(given)


@pytest.mark.parametrize(
    ("variable", "value", "target"),
    [
        ("KINDRED_DATABASE", 'a"; drop schema x; --.duckdb', "duckdb"),
        ("KINDRED_DATABASE", "it's.duckdb", "duckdb"),
        ("KINDRED_PG_DATABASE", 'a"; drop schema x; --', "postgres"),
    ],
)
def test_names_of_databases_from_the_environment_are_checked(
    project: SmallProject,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    target: str,
) -> None:
    """The name of a database stands in every statement, so that it must end no quotes."""
    write(project.root / "profiles.yml", (REPOSITORY / "profiles.example.yml").read_text("utf-8"))
    monkeypatch.setenv("KINDRED_PG_USER", "kindred")
    monkeypatch.setenv("KINDRED_PG_PASSWORD", "x")
    monkeypatch.setenv(variable, value)
    ended = project.run("load", "raw", "--target", target)
    assert ended.code == 2
    assert f"The database of the target '{target}' in profiles.yml is no name" in ended.err


def test_names_of_places() -> None:
    """Blanks, dashes, dots and letters of any script are names; what ends quotes is none."""
    for name in ("kindred", "raw stripe", "a-b.c", "größe", "x" * 63):
        assert checked_place(name, "var x") == name
    for name in ("", 'a"b', "a'b", "a;b", "{{ x }}", "a\\b", "a\nb", "a`b", "x" * 64):
        with pytest.raises(KindredError):
            checked_place(name, "var x")

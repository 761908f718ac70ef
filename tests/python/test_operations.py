"""The examples of schedules: what they call is there, and they do what they say."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
import yaml

from doc_pages import lend_virtual_environment
from kindred.cli import cli
from whole_project import PRIVACY_KEY, REPOSITORY, WholeProject, plain_environment
from workflow_runner import layered_environment

EXAMPLES = REPOSITORY / "docs" / "examples"
DAGSTER = "dagster_definitions.py"
# Stands for `kindred`: takes down how it was called, and fails where it is told to.
STUB = """#!/bin/sh
echo "$@" >> "$CALLS"
if [ "$1" = backup ]; then mkdir -p "$2"; fi
if [ "$1" = "${FAILING:-}" ]; then exit 3; fi
"""


def calls(text: str) -> list[list[str]]:
    """The arguments of each `kindred ...` that a script or a page holds."""
    found = re.findall(r"(?:^|run: |^ +)kindred ((?:[a-z][a-z-]*)(?: [^|>#\n]*)?)", text, re.M)
    return [shlex.split(re.sub(r"\$\{target:.*\}", "", call)) for call in found]


def pages() -> list[Path]:
    examples = [path for path in sorted(EXAMPLES.iterdir()) if path.suffix != ".txt"]
    return [*examples, REPOSITORY / "docs" / "operations.md"]


@pytest.mark.parametrize("path", pages(), ids=lambda path: str(path.name))
def test_every_command_of_an_example_is_there(path: Path) -> None:
    """For whoever copies an example: each command and option is one that Kindred knows."""
    text = path.read_text("utf-8")
    found = calls(text)
    if path.suffix == ".py":
        names = re.findall(r'^    kindred\("([a-z]+)"\)$', text, re.M)
        assert names == ["doctor", "check", "publish"]
        found = [[name, "--target", "x"] for name in names]
    assert found
    for name, *arguments in found:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None, name
        while isinstance(command, click.Group):
            command = command.get_command(click.Context(command), arguments.pop(0))
        assert command is not None
        given = ["x" if argument == "$@" else argument for argument in arguments]
        command.make_context(name, [one for one in given if one != "x" or name != "build"])


@pytest.fixture
def night(tmp_path: Path) -> WholeProject:
    """A folder in which the nightly script can run, with a stand-in for `kindred`."""
    stub = tmp_path / ".venv" / "bin" / "kindred"
    stub.parent.mkdir(parents=True)
    stub.write_text(STUB)
    stub.chmod(0o755)
    told = {"KINDRED_PROJECT_DIR": str(tmp_path), "CALLS": str(tmp_path / "calls")}
    return WholeProject(tmp_path, plain_environment(**told))


def test_a_night_builds_then_backs_up(night: WholeProject) -> None:
    """For whoever uses cron: the state is kept after the build; old backups go, others stay."""
    for name in ("2020-01-01T000000", "mine"):
        (night.root / "backups" / name).mkdir(parents=True)
        os.utime(night.root / "backups" / name, (0, 0))
    night.run(str(EXAMPLES / "nightly.sh"), "--target", "postgres").expect()
    build, kept = (night.root / "calls").read_text().splitlines()
    assert build == "build --target postgres"
    assert re.fullmatch(r"backup backups/20\d\d-\d\d-\d\dT\d{6} --target postgres", kept)
    left = {path.name for path in (night.root / "backups").iterdir()}
    assert left == {"mine", kept.split()[1].removeprefix("backups/")}


def test_a_failed_night_says_so_and_backs_up_nothing(night: WholeProject) -> None:
    """For whoever watches cron: the exit code of the build is the script's."""
    ended = night.run(str(EXAMPLES / "nightly.sh"), FAILING="build")
    assert ended.code == 3
    assert (night.root / "calls").read_text() == "build\n"
    without = {k: v for k, v in night.environment.items() if k != "KINDRED_PROJECT_DIR"}
    told = WholeProject(night.root, without).run(str(EXAMPLES / "nightly.sh"))
    assert told.code != 0
    assert "dbt_project.yml" in told.text


@pytest.mark.slow
def test_cron_runs_a_night_as_written(project_copy: WholeProject, tmp_path: Path) -> None:
    """For whoever uses cron: the line of the crontab works with the little that cron gives."""
    lend_virtual_environment(project_copy.root)
    shutil.copytree(EXAMPLES, project_copy.root / "docs" / "examples")
    key = project_copy.root / ".kindred" / "privacy.key"
    key.parent.mkdir()
    key.write_text(PRIVACY_KEY, "utf-8")
    script = (EXAMPLES / "nightly.sh").read_text("utf-8")
    found = re.search(r"^# +30 2 \* \* \*  (.*)$", script, re.M)
    assert found is not None
    log = tmp_path / "kindred.log"
    line = found.group(1).replace("/srv/kindred", str(project_copy.root))
    line = line.replace("/var/log/kindred.log", str(log))
    cron = {"HOME": str(tmp_path), "LOGNAME": "kindred", "SHELL": "/bin/sh"}
    done = subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=tmp_path,
        env={**cron, "PATH": "/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=1200,
    )
    assert done.returncode == 0, log.read_text("utf-8")[-6000:]
    assert done.stdout == b""
    assert "Done in" in log.read_text("utf-8")
    assert (project_copy.root / "published" / "current" / "kindred.duckdb").is_file()
    (backup,) = (project_copy.root / "backups").iterdir()
    assert (backup / "backup.json").is_file()
    assert {path.name for path in tmp_path.iterdir()} == {"project", log.name}


def test_the_workflow_names_what_there_is() -> None:
    """For whoever uses GitHub Actions: files and variables of the example are the project's."""
    content = yaml.safe_load((EXAMPLES / "github-actions.yml").read_text("utf-8"))
    (job,) = content["jobs"].values()
    profiles = (REPOSITORY / "profiles.example.yml").read_text("utf-8")
    read = set(re.findall(r"env_var\('(KINDRED_\w+)'", profiles)) | {"KINDRED_PRIVACY_KEY"}
    assert set(job["env"]) <= read
    assert {f"KINDRED_PG_{name}" for name in ("USER", "PASSWORD")} <= set(job["env"])
    scripts = "\n".join(step["run"] for step in job["steps"] if "run" in step)
    for name in ("requirements.lock", "profiles.example.yml"):
        assert name in scripts
        assert (REPOSITORY / name).is_file()
    done = subprocess.run(["bash", "-n"], input=scripts, text=True, check=False)
    assert done.returncode == 0


@pytest.fixture(scope="module")
def dagster_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with Dagster over this one, as the example says; needs a package index."""
    root = tmp_path_factory.mktemp("dagster") / "environment"
    layered_environment(root)
    command = re.search(r"pip (install --constraint .*)", (EXAMPLES / DAGSTER).read_text("utf-8"))
    assert command is not None
    done = subprocess.run(
        [root / "bin" / "pip", *shlex.split(command.group(1)), "--quiet"],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout
    return root


@pytest.mark.slow
def test_dagster_builds_and_publishes(
    project_copy: WholeProject, dagster_environment: Path, tmp_path: Path
) -> None:
    """For whoever uses Dagster: one job makes every asset and publishes; a broken load stops it."""
    home = tmp_path / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    programs = [dagster_environment / "bin", Path(sys.executable).parent, os.environ["PATH"]]
    given = {
        "KINDRED_PROJECT_DIR": str(project_copy.root),
        "DAGSTER_HOME": str(home),
        "PATH": os.pathsep.join(map(str, programs)),
    }
    example = str(EXAMPLES / DAGSTER)
    job = ("dagster", "job", "execute", "-f", example, "-j", "nightly")
    # The project was built by `kindred build`; what that noted is forgotten, as if it had not been.
    project_copy.execute("drop table kindred_load.raw_tables_of_last_run")
    ended = project_copy.run(*job, **given)
    assert ended.code == 0, ended.text[-6000:]
    published = project_copy.root / "published" / "current"
    assert (published / "kindred.duckdb").is_file()
    run = published.readlink()
    project_copy.execute("delete from stripe.customer")
    stopped = project_copy.run(*job, **given)
    assert stopped.code != 0
    assert "Source 'stripe' has lost much" in stopped.text, stopped.text[-6000:]
    assert published.readlink() == run

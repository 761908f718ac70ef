"""What must hold for everybody who types `kindred`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import kindred.cli
from kindred.cli._summary import activation

RUN = [sys.executable, "-c", "from kindred.cli import main; main()"]


def test_a_defect_is_told_in_two_lines_without_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error nobody foresaw shows no stack trace, and no value of anybody's record."""
    script = (
        "import click, kindred.cli as c\n"
        "@click.command()\n"
        "def broken():\n"
        "    raise ValueError('ann@example.com')\n"
        "c.cli.add_command(broken, 'broken')\n"
        "c.LazyGroup.get_command = lambda self, ctx, name: broken\n"
        "c.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "broken"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ},
    )
    said = done.stdout + done.stderr
    written = (tmp_path / "logs" / "kindred-defect.log").read_text(encoding="utf-8")
    assert done.returncode == 2
    assert "ValueError" in said and "kindred-defect.log" in said
    assert "Traceback" not in said and "ann@example.com" not in said
    assert "broken" in written and "ann@example.com" not in written


@pytest.mark.parametrize("name", sorted(kindred.cli.COMMANDS))
def test_every_command_helps_with_an_example(name: str, tmp_path: Path) -> None:
    """Each command explains itself, outside a project too, and shows an example."""
    done = subprocess.run([*RUN, name, "--help"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"kindred {name}" in done.stdout, "no example of the command in its help"


def test_a_path_that_cannot_be_is_named(tmp_path: Path) -> None:
    """A folder inside a file is told with its path and exit code 2, not as a defect."""
    (tmp_path / "file").write_text("x")
    arguments = ["sample", "--people", "50", "--out", "file/sample"]
    done = subprocess.run([*RUN, *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert "file/sample: not a directory" in done.stderr
    assert "nobody foresaw" not in done.stderr


def test_an_unknown_command_is_named(tmp_path: Path) -> None:
    """A mistyped command ends with 2 and one clear message."""
    done = subprocess.run([*RUN, "bild"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert "bild" in done.stderr and "Traceback" not in done.stderr


def test_explaining_before_the_first_build_says_what_to_run(tmp_path: Path) -> None:
    """A warehouse that holds raw tables only is told so, in two lines."""
    import duckdb

    database = tmp_path / "kindred_build.duckdb"
    duckdb.connect(str(database)).close()
    for names in ([], ["cus_0123456789abcdef"], ["a:b:c", "d:e:f"]):
        done = subprocess.run(
            [*RUN, "identity", "explain", *names, "--database", str(database)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 2
        assert "kindred build" in done.stderr and "nobody foresaw" not in done.stderr


def test_the_suppression_list_is_no_source_to_choose() -> None:
    """A data engineer is offered the ten sources, not what staging reads besides."""
    from kindred.project import known_sources, load_project

    sources = known_sources(load_project(Path(__file__).parents[2]))
    assert "stripe" in sources and len(sources) == 10 and "privacy" not in sources


def test_who_has_not_activated_the_environment_is_told_to(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What a build names as next steps can be typed as it stands, in any shell and folder."""
    programs = tmp_path / "a b" / "bin"
    programs.mkdir(parents=True)
    for name in ("activate", "kindred", "python"):
        (programs / name).touch(mode=0o755)
    monkeypatch.setattr(sys, "executable", str(programs / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert activation() == ["source 'a b/bin/activate'"]
    monkeypatch.chdir(Path(__file__).parent)
    assert activation() == [f"source '{programs}/activate'"]
    monkeypatch.setenv("PATH", str(programs))
    assert activation() == []

"""The pages that people follow do what they say, from the first command to the last."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from doc_pages import blocks, lend_virtual_environment, run_page
from whole_project import REPOSITORY, copy_files, plain_environment

# Fewer people than `make demo` invents by itself: the steps are the same.
FEWER = {"PEOPLE": "400", "COMPANIES": "50"}
PAGES = ["first-hour.md", "add-a-source.md"]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What `git clone` gives, with a virtual environment that is installed already."""
    if sys.prefix == sys.base_prefix:
        pytest.skip("the pages need a virtual environment to activate")
    root = tmp_path / "clone"
    copy_files(root)
    lend_virtual_environment(root)
    return root


def environment() -> dict[str, str]:
    """A new user's: no key, no settings; the commands of the environment on the PATH."""
    given = plain_environment(**FEWER)
    given.pop("KINDRED_PRIVACY_KEY")
    return {**given, "PATH": f"{Path(sys.prefix) / 'bin'}:{given['PATH']}"}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_does_what_it_says(clone: Path, page: str) -> None:
    """Whoever follows the page in a fresh clone gets to its end without an error."""
    path = REPOSITORY / "docs" / page
    if page == "add-a-source.md":
        shutil.copyfile(clone / "profiles.example.yml", clone / "profiles.yml")
    told = run_page(path, clone, environment())
    assert "Traceback" not in told
    if page == "first-hour.md":
        assert "regulars" in told


@pytest.mark.slow
def test_the_demo_ends_as_the_readme_shows(clone: Path) -> None:
    """Whoever runs `make demo` sees the figures of the README."""
    given = {name: value for name, value in environment().items() if name not in FEWER}
    told = subprocess.run(
        ["make", "demo"], cwd=clone, env=given, text=True, check=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ).stdout.splitlines()  # fmt: skip
    _, _, after = (REPOSITORY / "README.md").read_text("utf-8").partition("ends like this")
    shown = [line for line in after.split("```")[1].splitlines() if line.strip()]
    assert len(shown) > 10
    said = {line.strip() for line in told}
    assert [line for line in shown if line.strip() not in said] == []
    _, _, after = (REPOSITORY / "README.md").read_text("utf-8").partition("## The first query")
    command, query, table = (block.strip() for block in after.split("```")[1:6:2])
    (clone / "query.sql").write_text(query.removeprefix("sql"), "utf-8")
    # The clone is lent its environment; python of the path is that of the environment.
    command = command.replace(".venv/bin/python", "python")
    answer = subprocess.run(
        ["bash", "-c", command], cwd=clone, env=given, text=True, check=True, stdout=subprocess.PIPE
    ).stdout
    assert answer.strip() == table


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_blocks_to_run(page: str) -> None:
    """A change of notation cannot turn the test of a page into a test of nothing."""
    actions = [block.action for block in blocks((REPOSITORY / "docs" / page).read_text("utf-8"))]
    assert actions.count("run") >= 1
    assert actions.count("file") >= 1


def test_blocks_are_told_apart(tmp_path: Path) -> None:
    """Writers of pages find each kind of block treated as CONTRIBUTING.md says."""
    page = tmp_path / "page.md"
    page.write_text(
        "```yaml\n# file: a.yml\nvars:\n  one: 1\n```\n"
        "```yaml\n# append: a.yml\nlast: true\n```\n"
        "```yaml\n# insert under vars: a.yml\n  two: 2\n```\n"
        "```text\nshown\n```\n"
        "```bash\nexport SEEN=yes\n```\n"
        "```bash\ntest $SEEN = yes && cat a.yml\n```\n"
    )
    root = tmp_path / "root"
    root.mkdir()
    told = run_page(page, root, plain_environment())
    assert told == "vars:\n  two: 2\n  one: 1\nlast: true\n"

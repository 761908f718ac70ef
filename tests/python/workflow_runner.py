"""Run a job of a GitHub workflow here, step by step as written, as a runner of theirs does.

A `run` step is a file given to `bash -e`, in the workspace or its `working-directory`, with the
variables of workflow, job and step. After a step that failed only those run that ask for it by
`if: ${{ !cancelled() }}`. Of `uses` there are stand-ins that give what the action gives:

- actions/checkout: a clone of the repository, at `ref`, in `path`
- actions/setup-python: a Python of the version on the PATH, in an environment of its own; packages
  that are installed here stand for the cache of pip, so that nothing is downloaded
- actions/upload-artifact: the files are there

Whatever else a workflow asks for is an error, so that none of it can be passed over.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from whole_project import copy_files

_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
_ALSO_AFTER_A_FAILURE = "!cancelled()"
_KNOWN_KEYS = {"name", "uses", "with", "run", "env", "if", "working-directory"}


@dataclass(frozen=True)
class Step:
    """A step that was run: its name, exit code and output."""

    name: str
    code: int
    text: str


@dataclass
class Runner:
    """A machine that runs one job.

    repository: a git repository, for checkout. given: what expressions may ask for, as
    `secrets.KINDRED_PG_HOST`.
    """

    workspace: Path
    repository: Path
    given: Mapping[str, str]
    environment: Mapping[str, str]
    steps: list[Step] = field(default_factory=list)

    @property
    def home(self) -> Path:
        """A folder of the machine, outside the workspace."""
        return self.workspace.parent

    @property
    def summary(self) -> str:
        """What steps wrote for the page of the run."""
        path = self.home / "summary.md"
        return path.read_text("utf-8") if path.exists() else ""

    def run(self, workflow: Path, job: str) -> list[Step]:
        """Run a job; its steps, up to the last one that was run."""
        content = yaml.safe_load(workflow.read_text("utf-8"))
        told = content["jobs"][job]
        self.workspace.mkdir(parents=True)
        outer = {**content.get("env", {}), **told.get("env", {})}
        for step in told["steps"]:
            assert set(step) <= _KNOWN_KEYS, f"a key that no stand-in knows: {step}"
            if self._is_run(step):
                self._do({**step, "env": {**outer, **step.get("env", {})}})
        return self.steps

    def _is_run(self, step: Mapping[str, Any]) -> bool:
        condition = self._expression(step["if"]) if "if" in step else ""
        assert condition in ("", _ALSO_AFTER_A_FAILURE), f"unknown condition: {condition}"
        return bool(condition) or all(done.code == 0 for done in self.steps)

    def _do(self, step: Mapping[str, Any]) -> None:
        name = str(step.get("name") or step.get("uses") or step["run"])
        folder = self.workspace / str(step.get("working-directory", "."))
        if "run" in step:
            self.steps.append(self._run(name, str(step["run"]), folder, step["env"]))
            return
        action, _, version = str(step["uses"]).partition("@")
        assert re.fullmatch(r"v\d+|[0-9a-f]{40}", version), f"{action} names no version"
        options = {key: self._filled(str(value)) for key, value in step.get("with", {}).items()}
        stand_in = {
            "actions/checkout": self._checkout,
            "actions/setup-python": self._setup_python,
            "actions/upload-artifact": self._upload,
        }[action]
        self.steps.append(Step(name, 0, stand_in(options)))

    def _run(self, name: str, script: str, folder: Path, variables: Mapping[str, Any]) -> Step:
        file = self.home / "step.sh"
        file.write_text(self._filled(script), "utf-8")
        done = subprocess.run(
            ["bash", "-e", str(file)],
            cwd=folder,
            env={
                **self.environment,
                "PATH": f"{self.home / 'python' / 'bin'}{os.pathsep}{self.environment['PATH']}",
                "CI": "true",
                "GITHUB_ACTIONS": "true",
                "GITHUB_WORKSPACE": str(self.workspace),
                "GITHUB_STEP_SUMMARY": str(self.home / "summary.md"),
                **{key: self._filled(str(value)) for key, value in variables.items()},
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1200,
        )
        return Step(name, done.returncode, done.stdout)

    def _filled(self, text: str) -> str:
        """A text with its expressions replaced by what is given."""
        return _EXPRESSION.sub(lambda found: self._value(found.group(1)), text)

    def _value(self, name: str) -> str:
        given = {"github.workspace": str(self.workspace), **self.given}
        assert name in given, f"the workflow asks for {name}, which nobody gives"
        return given[name]

    def _expression(self, condition: str) -> str:
        found = _EXPRESSION.fullmatch(condition)
        return found.group(1) if found else condition

    def _checkout(self, options: Mapping[str, str]) -> str:
        root = self.workspace / options.get("path", ".")
        git = ["git", "-c", "advice.detachedHead=false"]
        text = _call([*git, "clone", "--quiet", str(self.repository), str(root)])
        if "ref" in options:
            text += _call([*git, "-C", str(root), "checkout", "--quiet", options["ref"]])
        # What `make` finds of an environment: an empty one, so that it installs what it lacks.
        layered_environment(root / ".venv")
        return text

    def _setup_python(self, options: Mapping[str, str]) -> str:
        assert options["python-version"] in ("3.11", "3.12")
        assert options["cache"] == "pip"
        assert (self.workspace / options["cache-dependency-path"]).is_file()
        layered_environment(self.home / "python")
        return f"stands for {options['python-version']}"

    def _upload(self, options: Mapping[str, str]) -> str:
        found = sorted(self.workspace.glob(options["path"].rstrip("/")))
        assert found, f"nothing to keep at {options['path']}"
        assert all(path.is_file() or any(path.iterdir()) for path in found)
        return "\n".join(str(path) for path in found)


def layered_environment(root: Path) -> None:
    """A virtual environment over this one: it sees what is installed here, and has its own."""
    _call([sys.executable, "-m", "venv", str(root)])
    # Python 3.11 puts an old one in, which would stand before the one that is installed here.
    _call([str(root / "bin" / "pip"), "uninstall", "--quiet", "--yes", "setuptools"])
    # The last of its kind to be read, so that what is installed in the new one comes first.
    own = Path(sysconfig.get_path("purelib", vars={"base": str(root)}))
    here = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    lines = [f"import site; site.addsitedir({path!r})\n" for path in here]
    (own / "zz-layer.pth").write_text("".join(lines), "utf-8")


def make_repository(root: Path, change: Mapping[str, tuple[str, str]]) -> str:
    """A git repository with the project's files, and then with a change; the first one's commit.

    change: file -> (a text that stands once in it, what takes its place).
    """
    copy_files(root)
    git = ["git", "-C", str(root), "-c", "user.name=x", "-c", "user.email=x@example.com"]
    _call([*git, "init", "--quiet", "--initial-branch=main"])
    commit = [*git, "-c", "commit.gpgsign=false", "commit", "--quiet", "--message"]
    _call([*git, "add", "--all"])
    _call([*commit, "base"])
    first = _call([*git, "rev-parse", "HEAD"]).strip()
    for name, (old, new) in change.items():
        text = (root / name).read_text("utf-8")
        assert text.count(old) == 1, f"{name} holds {text.count(old)} times: {old}"
        (root / name).write_text(text.replace(old, new), "utf-8")
    if change:
        _call([*commit, "change", "--all"])
    return first


def _call(command: list[str]) -> str:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout}"
    return done.stdout

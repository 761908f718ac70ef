"""Run dbt as a child process and read its structured log.

A child rather than `dbtRunner` in this process: its memory and its hold on the DuckDB file end
with it, for certain, before the checks and the publication open the file; a crash of it is an
exit code here; and dbt's import costs the same four seconds either way.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kindred.project import Profile, Project

# dbt's own entry; `-m dbt.cli.main` warns about a double import. What dbt makes it keeps to its
# end: looking for garbage seldom saves a tenth of a small run, for 13 MB.
_ENTRY = "import gc; gc.set_threshold(50_000, 20, 100); from dbt.cli.main import cli; cli()"
# The variable of the environment by which a child gets the moment it speaks of.
MOMENT = "KINDRED_AS_OF"
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
# A stack trace up to its last line, which says what went wrong; of chained ones, each.
_TRACE = re.compile(r"^( *)Traceback \(most recent call last\):\n(?:\1 +.*\n|\n)*", re.MULTILINE)
_EMAIL = re.compile(r"[^\s'\"<>()]+@[^\s'\"<>()]+")
_QUOTED_VALUE = re.compile(r"((?:string|value|key|text|from)\s*:?\s*)(['\"]).*?\2", re.IGNORECASE)
_LONG_NUMBER = re.compile(r"\d[\d\s().-]{6,}\d")
_RESULTS = frozenset(
    {
        "LogModelResult",
        "LogTestResult",
        "LogSeedResult",
        "LogSnapshotResult",
        "LogNodeResult",
        "LogNodeNoOpResult",
        "SkippingDetails",
    }
)

STAGES: dict[str, str] = {
    "seeds": "Reference data",
    "staging": "Staging",
    "streams": "Streams",
    "identity": "Identity",
    "consent": "Consent",
    "profiles": "Profiles",
    "marts": "Marts",
    "segments": "Segments",
    "activation": "Activation",
    "tests": "Data tests",
}


@dataclass(frozen=True)
class NodeDone:
    """One model, seed or test that dbt is done with."""

    name: str
    stage: str
    kind: str
    status: str
    index: int
    total: int
    unique_id: str = ""

    @property
    def is_good(self) -> bool:
        """Whether what hangs on it may go on: a model is made, or a test did not fail."""
        return self.status in {"ok", "pass", "warn"}


@dataclass(frozen=True)
class Failure:
    """A node that failed: its name, where it lies and dbt's message without any value."""

    name: str
    kind: str
    path: str
    message: str

    @property
    def is_data_test(self) -> bool:
        """Whether the data failed a test, rather than the code."""
        return self.kind == "test" and not self.message.lower().startswith(
            ("runtime error", "compilation error", "database error")
        )


@dataclass
class DbtOutcome:
    """How a dbt run ended."""

    exit_code: int
    counts: Counter[str] = field(default_factory=Counter)
    test_counts: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    warnings: list[Failure] = field(default_factory=list)
    message: str = ""
    log_path: Path | None = None

    @property
    def only_data_tests_failed(self) -> bool:
        """Whether every failure is a data test's."""
        return bool(self.failures) and all(failure.is_data_test for failure in self.failures)


def target_directory(project: Project) -> Path:
    """Where dbt writes manifest.json and run_results.json."""
    given = os.environ.get("DBT_TARGET_PATH")
    return (project.root / given) if given else project.root / "target"


def lend_parsed(project: Project, folder: Path) -> None:
    """Give a child whose target is `folder` what dbt remembers of parsing the project: to parse
    takes several times as long as to see that nothing has changed."""
    known = target_directory(project) / "partial_parse.msgpack"
    if known.is_file():
        shutil.copyfile(known, folder / known.name)


def log_file(project: Project) -> Path:
    """dbt's own log."""
    return project.root / os.environ.get("DBT_LOG_PATH", "logs") / "dbt.log"


def dbt_arguments(
    command: str,
    project: Project,
    profile: Profile,
    variables: dict[str, Any],
    extra: Sequence[str] = (),
) -> list[str]:
    """The command line of a dbt child, which gets the moment otherwise: see `environment_with`."""
    # A moment of none takes back the project's own.
    told = {name: value for name, value in variables.items() if name != "as_of" or not value}
    arguments = [
        sys.executable,
        "-c",
        _ENTRY,
        "--no-send-anonymous-usage-stats",
        "--log-format=json",
        "--log-level=info",
        "--log-format-file=text",
        command,
        f"--project-dir={project.root}",
        f"--profiles-dir={profile.profiles_dir}",
        f"--target={profile.target}",
        *extra,
    ]
    if told:
        arguments += ["--vars", json.dumps(told, sort_keys=True, default=str)]
    return arguments


def environment_with(variables: Mapping[str, Any]) -> dict[str, str]:
    """The environment of a dbt child that speaks of the moment in `variables` (as_of), if any.

    For another value of a variable dbt would read the whole project anew; this one the macro
    `moment_given` reads when that is done.
    """
    found = {name: value for name, value in os.environ.items() if name != MOMENT}
    given = variables.get("as_of")
    return {**found, MOMENT: str(given)} if given else found


def run_dbt(
    arguments: Sequence[str],
    project: Project,
    variables: Mapping[str, Any],
    on_node: Callable[[NodeDone], None] = lambda node: None,
    on_line: Callable[[str], None] = lambda line: None,
    keep_open: Sequence[int] = (),
    on_start: Callable[[str], None] = lambda invocation: None,
    umask: int = -1,
) -> DbtOutcome:
    """Run dbt and tell of each finished node; `on_line` gets dbt's own lines.

    `on_start` gets dbt's id of the invocation, which it also writes into its manifest. `variables`:
    as `dbt_arguments` was given. `keep_open`: descriptors the child keeps (the run lock), so that
    they outlive a killed parent. `umask`: the child's, where it is not ours.
    """
    target = target_directory(project)
    # Results of an earlier run must not be taken for this one's, should dbt be killed.
    (target / "run_results.json").unlink(missing_ok=True)
    outcome = DbtOutcome(exit_code=2, log_path=log_file(project))
    with subprocess.Popen(  # noqa: S603 - our own interpreter, fixed entry
        list(arguments),
        cwd=project.root,
        env=environment_with(variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        pass_fds=tuple(keep_open),
        umask=umask,
    ) as child:
        try:
            _follow(child, outcome, on_node, on_line, on_start)
        except BaseException:
            child.send_signal(signal.SIGINT)
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
            raise
        outcome.exit_code = child.wait()
    _read_results(target / "run_results.json", outcome)
    return outcome


def _follow(
    child: subprocess.Popen[str],
    outcome: DbtOutcome,
    on_node: Callable[[NodeDone], None],
    on_line: Callable[[str], None],
    on_start: Callable[[str], None],
) -> None:
    stray: list[str] = []
    is_started = False
    for info, data in _events(child, stray):
        name = info.get("name", "")
        if not is_started and info.get("invocation_id"):
            is_started = True
            on_start(str(info["invocation_id"]))
        if info.get("msg"):
            on_line(without_values(_ANSI.sub("", str(info["msg"]))))
        if name in _RESULTS:
            node = _node_done(data, name)
            outcome.counts[node.status] += 1
            if node.kind == "test":
                outcome.test_counts[node.status] += 1
            on_node(node)
        elif name == "MainEncounteredError":
            outcome.message = readable(str(data.get("exc", "")))
    if not outcome.message and stray:
        outcome.message = readable("\n".join(stray[-3:]))


def _events(
    child: subprocess.Popen[str], stray: list[str]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for line in child.stdout or ():
        try:
            event = json.loads(line)
            yield event["info"], event.get("data") or {}
        except (ValueError, KeyError, TypeError):
            if line.strip():
                stray.append(line.strip())


def _node_done(data: dict[str, Any], event: str) -> NodeDone:
    node = data.get("node_info") or {}
    kind = str(node.get("resource_type", ""))
    status = "skipped" if event == "SkippingDetails" else str(data.get("status", "")).lower()
    if status not in {"skipped", "pass", "fail", "warn", "error"}:
        status = "error" if node.get("node_status") == "error" else "ok"
    return NodeDone(
        name=str(node.get("node_name", "")),
        stage=stage_of(kind, str(node.get("node_path", ""))),
        kind=kind,
        status=status,
        index=int(data.get("index") or 0),
        total=int(data.get("total") or data.get("num_models") or 0),
        unique_id=str(node.get("unique_id", "")),
    )


def stage_of(kind: str, path: str) -> str:
    """The stage of the build a node belongs to: a key of STAGES."""
    if kind == "seed":
        return "seeds"
    if kind != "model":
        return "tests"
    parts = path.split("/")
    for part in parts[:2]:
        if part in STAGES and part not in ("seeds", "tests"):
            return part if parts[0] != "marts" else "marts"
    return "streams" if parts[0] == "intermediate" else "staging"


def _read_results(path: Path, outcome: DbtOutcome) -> None:
    if not path.exists():
        return
    content = json.loads(path.read_text(encoding="utf-8"))
    for result in content.get("results", []):
        status = result.get("status")
        if status not in {"error", "fail", "runtime error", "warn"}:
            continue
        kind, _, rest = str(result["unique_id"]).partition(".")
        parts = rest.split(".")
        name = parts[1] if len(parts) > 1 else rest
        message = readable(str(result.get("message") or ""))
        failure = Failure(name, kind, _path_in(message), message)
        (outcome.warnings if status == "warn" else outcome.failures).append(failure)


def _path_in(message: str) -> str:
    found = re.search(r"\(((?:models|tests|seeds)/[^)]+)\)", message)
    return found.group(1) if found else ""


def readable(message: str, lines: int = 6) -> str:
    """The first lines of a dbt message, without SQL excerpts, stack traces, colours and values.

    An error of ours inside a Python model comes wrapped in a stack trace: it is told alone.
    """
    told = re.search(r"kindred\.errors\.KindredError: (.+(?:\n *What to do: .+)?)", message)
    if told:
        return without_values("\n".join(line.strip() for line in told.group(1).splitlines()))
    kept: list[str] = []
    for line in _TRACE.sub("", _ANSI.sub("", message)).splitlines():
        text = line.strip()
        if text.startswith(("LINE ", "> in macro", "compiled code at")):
            break
        if text and not set(text) <= {"^", " "}:
            kept.append(text)
    return without_values("\n".join(kept[:lines]))


def without_values(text: str) -> str:
    """A message with everything that may be a value of somebody's record blotted out."""
    text = _EMAIL.sub("***", text)
    text = _QUOTED_VALUE.sub(r"\1\2***\2", text)
    return _LONG_NUMBER.sub("***", text)

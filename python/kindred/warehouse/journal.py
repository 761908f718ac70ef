"""The journal of a run: which nodes dbt has finished, so that a killed run can be gone on with.

A file beside the working database (in the project's folder for a server), one JSON object a line.
The first says what the run was built from; each dbt invocation and each finished node adds a line,
after the database has committed it. A line that a kill tore is not read, nor anything after it.
The file is removed when the run has ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# What a run hangs on, as people are told of it when it has changed.
BASES = {
    "target": "the target",
    "input": "the raw tables",
    "code": "the code, a seed or a library",
    "variables": "the variables",
    "options": "the options",
    "key": "the privacy key",
}


@dataclass(frozen=True)
class Journal:
    """What is known of a run that began and has not ended."""

    path: Path
    bases: dict[str, str | None]
    invocations: tuple[str, ...] = ()
    done: frozenset[str] = field(default_factory=frozenset)

    def differences(self, bases: dict[str, str | None]) -> list[str]:
        """What has changed since, in words; empty where nothing has."""
        return [words for name, words in BASES.items() if self.bases.get(name) != bases.get(name)]


def write(journal: Journal) -> Journal:
    """Put the journal in place of what its file holds, in one step."""
    new = journal.path.with_name(journal.path.name + ".new")
    new.parent.mkdir(parents=True, exist_ok=True)
    lines: list[dict[str, Any]] = [{"bases": journal.bases}]
    lines += [{"invocation": one} for one in journal.invocations]
    lines += [{"done": one} for one in sorted(journal.done)]
    new.write_text(_as_lines(lines), encoding="utf-8")
    new.replace(journal.path)
    return journal


def add_invocation(journal: Journal, invocation: str) -> None:
    """Take down that dbt was started, under its own id."""
    _append(journal.path, {"invocation": invocation})


def add_done(journal: Journal, node: str) -> None:
    """Take down a node that dbt has finished, by its unique id."""
    _append(journal.path, {"done": node})


def end(path: Path) -> None:
    """Remove the journal: the run has ended."""
    path.unlink(missing_ok=True)


def read(path: Path) -> Journal | None:
    """The journal of a run that has not ended; None where there is none, or nothing readable."""
    lines = list(_lines(path))
    if not lines or not isinstance(lines[0].get("bases"), dict):
        return None
    return Journal(
        path,
        lines[0]["bases"],
        tuple(str(line["invocation"]) for line in lines if "invocation" in line),
        frozenset(str(line["done"]) for line in lines if "done" in line),
    )


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    whole, _, _ = text.rpartition("\n")
    for line in whole.split("\n"):
        try:
            content = json.loads(line)
        except ValueError:
            return
        if not isinstance(content, dict):
            return
        yield content


def _append(path: Path, content: dict[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as stream:
        stream.write(_as_lines([content]))


def _as_lines(contents: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(content, sort_keys=True) + "\n" for content in contents)

"""`kindred identity diff` as it is called: candidates really built, and what is refused."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli_project import SmallProject, make_project
from kindred.warehouse.lock import run_lock
from test_identity_diff import State
from whole_project import Ended, WholeProject

NO_LIMITS = (
    "--max-merged", "100%", "--max-split", "100%", "--max-moved", "100%",
    "--max-segment-change", "100%",
)  # fmt: skip


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass(frozen=True)
class Tried:
    """A diff that built a candidate, and the base's bytes before and after it."""

    project: WholeProject
    ended: Ended
    kept: Path
    page: str
    before: str
    after: str

    @property
    def told(self) -> dict[str, Any]:
        """The diff as JSON, from between the lines of progress and errors."""
        text = self.ended.text
        found: dict[str, Any] = json.loads(text[text.index("\n{") if text[0] != "{" else 0 :][: text.rindex("\n}\n") + 3])
        return found

    @property
    def people(self) -> dict[str, Any]:
        found: dict[str, Any] = self.told["entities"][0]
        return found

"""Run a page of the documentation as its reader would, block by block.

Blocks are told apart by their language and first line:

- `bash`: run, all in one session: what one exports or activates, the next one has.
- any other language whose first line is `-- file: PATH` or `# file: PATH`: written to the file.
- `# append: PATH`: added to the end of the file.
- `# insert under LINE: PATH`: put after the line of the file that reads LINE.
- everything else, such as output or an example: only shown.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
PLACE = re.compile(r"^(?:--|#) *(file|append|insert under ([^\n]+?)): *(\S+) *$")


@dataclass(frozen=True)
class Block:
    """A fenced block: what it does (run, file, append, insert, show), where, and its text."""

    action: str
    text: str
    path: str = ""
    anchor: str = ""
    line: int = 0


def blocks(page: str) -> list[Block]:
    """The blocks of a page in order."""
    found = []
    for match in FENCE.finditer(page):
        language, text = match.group(1), match.group(2)
        line = page.count("\n", 0, match.start()) + 1
        first, _, rest = text.partition("\n")
        place = PLACE.match(first)
        if place and place.group(2):
            found.append(Block("insert", rest, place.group(3), place.group(2), line))
        elif place:
            found.append(Block(place.group(1), rest, place.group(3), line=line))
        else:
            found.append(Block("run" if language == "bash" else "show", text, line=line))
    return found


def run_page(page: Path, root: Path, environment: Mapping[str, str]) -> str:
    """Do what the page says in the folder `root`; the output of all commands."""
    told = ""
    session = {**environment}
    for block in blocks(page.read_text("utf-8")):
        if block.action == "run":
            output, session = _run(block, page, root, session)
            told += output
        elif block.action != "show":
            _write(block, root)
    return told


def _run(
    block: Block, page: Path, root: Path, session: Mapping[str, str]
) -> tuple[str, dict[str, str]]:
    after = root.parent / "environment"
    script = f"set -euo pipefail\n{block.text}\nenv -0 > '{after}'\n"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=root,
        env=dict(session),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
    )
    where = f"{page.name}, line {block.line}"
    assert done.returncode == 0, f"{where}:\n{block.text}\n{done.stdout[-5000:]}"
    pairs = (pair.partition("=") for pair in after.read_text("utf-8").split("\0") if pair)
    return done.stdout, {name: value for name, _, value in pairs}


def _write(block: Block, root: Path) -> None:
    path = root / block.path
    if block.action == "file":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, "utf-8")
        return
    lines = path.read_text("utf-8").splitlines(keepends=True)
    place = len(lines)
    if block.action == "insert":
        matching = [i for i, line in enumerate(lines) if line.strip().rstrip(":") == block.anchor]
        assert len(matching) == 1, f"{block.path} has {len(matching)} lines '{block.anchor}'"
        place = matching[0] + 1
    lines[place:place] = [block.text]
    path.write_text("".join(lines), "utf-8")


def lend_virtual_environment(root: Path) -> None:
    """Make `.venv` of a clone stand for this interpreter's, so that nothing is installed again."""
    (root / ".venv").mkdir()
    (root / ".venv" / "bin").symlink_to(Path(sys.prefix) / "bin")
    for stamp in (".runtime", ".dev"):
        (root / ".venv" / stamp).touch()

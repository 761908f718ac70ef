"""Run dbt step by step in one process: `python scenario_steps.py STEPS`, in the project's folder.

STEPS is a JSON list of {overrides, arguments, environment}: the file to take the stewards'
decisions from, and what dbt is called with. Ends at the first step that fails.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from dbt.cli.main import dbtRunner

GLOBAL = ("--quiet", "--no-use-colors", "--no-write-json")


def main(path: str) -> int:
    """Take all steps; 1 where one fails."""
    for number, step in enumerate(json.loads(Path(path).read_text("utf-8")), start=1):
        shutil.copyfile(step["overrides"], "seeds/stewardship/identity_overrides.csv")
        os.environ.update(step["environment"])
        ended = dbtRunner().invoke([*GLOBAL, *step["arguments"]])
        if not ended.success:
            sys.stdout.write(f"step {number} failed: {ended.exception or ''}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

"""How long a whole dbt build takes on Postgres beside DuckDB, model by model, on the same records.

    python bench/engines.py /tmp/bench_engines --people 100000

Makes a sample of that many people, loads it into a project of its own in that folder and into a
Postgres, and runs `dbt build` (every model, seed and data test) on each, one after the other.
Prints one JSON object: of each build the seconds by the clock, those of its models and of its data
tests, the peak of memory of the dbt process in GB, and the machine's load at the end; how many
times those of DuckDB Postgres takes; the models and data tests with the greatest such ratios, of
those that take a second or more on Postgres (of a quicker one, only noise would be told).

Postgres is the one of the tests: from a wheel, or what KINDRED_TEST_POSTGRES names. Figures of a
machine that does other work at the time say little.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from identity_stage import Project

ROOT = Path(__file__).resolve().parents[1]

# What is quicker than this on Postgres is left out of the tables of ratios.
LEAST_SECONDS = 1.0
BUILD = ("build", "--exclude-resource-type", "unit_test")


def main() -> None:
    """Load both, build both, tell."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path, help="is made; some 6 GB for 100,000 people")
    asked.add_argument("--people", type=int, default=100_000)
    asked.add_argument("--shown", type=int, default=15, help="models, and tests, listed")
    given = asked.parse_args()

    sys.path.append(str(ROOT / "tests" / "python"))
    from postgres_server import running_server

    project = Project(given.folder.resolve())
    project.make(given.people)
    as_of = json.loads((project.sample / "sample.json").read_text("utf-8"))["as_of"]
    with running_server() as server, server.new_database() as database:
        project.environment |= database.environment
        load(project)
        ours = build(project, "duckdb", as_of)
        theirs = build(project, "postgres", as_of)
    print(json.dumps(compared(ours, theirs, given.people, given.shown), indent=2))


def load(project: Project) -> None:
    """Load the sample into the Postgres of the project's environment."""
    kindred = str(Path(sys.executable).with_name("kindred"))
    command = [kindred, "load", str(project.sample), "--target", "postgres"]
    subprocess.run(
        command, cwd=project.root, env=project.environment, stdout=sys.stderr, check=True
    )


def build(project: Project, target: str, as_of: str) -> dict[str, Any]:
    """Build on a target: seconds by the clock, seconds of each model and data test, GB, load."""
    started = time.monotonic()
    peak = project.dbt(*BUILD, "--target", target, "--vars", json.dumps({"as_of": as_of}))
    seconds = time.monotonic() - started
    results = project.root / "target" / "run_results.json"
    shutil.copy(results, project.folder / f"run_results_{target}.json")
    rows = json.loads(results.read_text("utf-8"))["results"]
    times: dict[str, dict[str, float]] = {"models": {}, "tests": {}}
    for row in rows:
        kind, _, name = row["unique_id"].split(".")[:3]
        times["tests" if kind == "test" else "models"][name] = row["execution_time"]
    return {"seconds": seconds, **times, "peak_gb": peak, "load": os.getloadavg()[2]}


def compared(
    ours: dict[str, Any], theirs: dict[str, Any], people: int, shown: int
) -> dict[str, Any]:
    """What is told of two builds of the same records."""
    told = {
        "people": people,
        "duckdb": _told(ours),
        "postgres": _told(theirs),
        "ratio": round(theirs["seconds"] / ours["seconds"], 2),
    }
    for kind in ("models", "tests"):
        told[f"ratio_of_{kind}"] = round(sum(theirs[kind].values()) / sum(ours[kind].values()), 2)
        told[kind] = _slowest(ours[kind], theirs[kind], shown)
    return told


def _slowest(
    ours: dict[str, float], theirs: dict[str, float], shown: int
) -> dict[str, dict[str, float]]:
    """The greatest ratios first."""
    ratios = {
        name: {
            "ratio": round(seconds / max(ours[name], 0.01), 1),
            "duckdb": round(ours[name], 2),
            "postgres": round(seconds, 2),
        }
        for name, seconds in theirs.items()
        if seconds >= LEAST_SECONDS
    }
    return dict(sorted(ratios.items(), key=lambda item: -item[1]["ratio"])[:shown])


def _told(build: dict[str, Any]) -> dict[str, float]:
    return {
        "seconds": round(build["seconds"], 1),
        "model_seconds": round(sum(build["models"].values()), 1),
        "test_seconds": round(sum(build["tests"].values()), 1),
        "peak_gb": build["peak_gb"],
        "load": round(build["load"], 1),
    }


if __name__ == "__main__":
    main()

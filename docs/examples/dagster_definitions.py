"""Kindred in Dagster: each model is an asset, each data test a check of it; then publication.

    pip install --constraint requirements.lock --requirement docs/examples/requirements-dagster.txt
    KINDRED_PROJECT_DIR=/srv/kindred dagster dev -f docs/examples/dagster_definitions.py

Dagster starts `dbt build`, which takes no lock: give it the schedule alone. `kindred doctor` looks
before it: a source that lost most of its rows, or a column, stops the run as `kindred build` would.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource, DbtProject, dbt_assets

HOME = Path(os.environ.get("KINDRED_PROJECT_DIR", ".")).resolve()
TARGET = os.environ.get("KINDRED_TARGET", "duckdb")
KINDRED = [sys.executable, "-c", "from kindred.cli import main; main()"]

project = DbtProject(project_dir=HOME, profiles_dir=HOME, target=TARGET)
if not project.manifest_path.exists():
    project.preparer.prepare(project)


def kindred(command: str) -> None:
    """Run a command of Kindred; what it prints is in the log of the step."""
    subprocess.run([*KINDRED, command, "--target", TARGET], cwd=HOME, check=True)


@dbt_assets(manifest=project.manifest_path)
def models(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
    """Seeds, models and their tests, in one `dbt build`."""
    kindred("doctor")
    build = ["build", "--exclude-resource-type", "unit_test"]
    yield from dbt.cli(build, context=context).stream()


@dg.asset(deps=[models])
def published() -> None:
    """What people read: a failed critical check leaves it as it was."""
    kindred("check")
    kindred("publish")


nightly = dg.define_asset_job("nightly", selection="*")

definitions = dg.Definitions(
    assets=[models, published],
    jobs=[nightly],
    schedules=[dg.ScheduleDefinition(job=nightly, cron_schedule="30 2 * * *")],
    resources={"dbt": DbtCliResource(project_dir=project)},
)

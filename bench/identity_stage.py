"""How long the identity stage takes beside a plain Splink script, and with 1% new records.

    python bench/identity_stage.py /tmp/bench --people 310000 --times 2

Makes a sample of that many people (310,000 give a million records), loads it into a project of its
own in that folder, and measures the stage of a dbt run: every node from person_records to
customer_id_map with what is read of earlier runs, by the execution times in run_results.json,
parsing left out. Each of the `--times` rounds measures, one after the other on the same records:

- base: all records but 1%, as the first run of a warehouse (once; it leaves the state);
- new: the same warehouse after the last 1% has come;
- full: all records in a warehouse without any state;
- plain: bench/plain_splink.py.

Prints one JSON object a round: seconds of each, their ratios, B-cubed F1 of both by the sample's
truth, whether the new run ended with the same customers as the full one, and the peak of memory in
GB of each process. At the end it prints the ratios of all rounds together, sum to sum, as the pace
of a machine swings from one run to the next. Raw tables, staging and identifiers are made
beforehand and not counted. Every process runs alone; figures of a machine that does other work at
the time say little.
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

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kindred.identity import metrics

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("analyses", "macros", "models", "seeds", "tests", "dbt_project.yml")
# Of each raw table that people come from, the column by which 1% of its rows is held back.
PEOPLE = {
    "salesforce.contact": "id",
    "salesforce.lead": "id",
    "hubspot.contact": "id",
    "stripe.customer": "id",
    "shopify.customer": "id",
    "segment.users": "id",
    "segment.identifies": "user_id",
    "zendesk.user": "id",
    "klaviyo.person": "id",
    "social.lead_form_submission": "id",
    "pos.loyalty_member": "loyalty_id",
}
STAGE = (
    "person_records+,+customer_id_map",
    "int_run_history_prior+,+customer_id_map",
    "int_person_id_ledger_prior",
    "int_person_kept_prior",
    "int_person_resolution_prior",
)
BEFORE = ("+person_records", "+record_identifiers", "+int_person_overrides", "resource_type:seed")


def main() -> None:
    """Make the sample, then measure round by round."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path, help="is made; some 12 GB for a million records")
    asked.add_argument("--people", type=int, default=310_000)
    asked.add_argument("--times", type=int, default=2)
    given = asked.parse_args()

    project = Project(given.folder.resolve())
    project.make(given.people)
    project.hold_back()
    project.dbt("build", "--exclude-resource-type", "test", *select(BEFORE))
    base = project.stage()
    project.finish_run()
    project.give_back()
    project.dbt("run", *select(BEFORE), "--exclude", "person_records")
    shutil.copy(project.database, project.kept)
    rounds = []
    for _ in range(given.times):
        shutil.copy(project.kept, project.database)
        new = project.stage()
        ids = project.customers()
        project.forget()
        full = project.stage("--full-refresh")
        plain = project.plain()
        rounds.append({"new": new, "full": full, "plain": plain})
        print(json.dumps(project.compared(base, new, ids, full, plain), indent=2), flush=True)
    print(json.dumps(ratios(rounds), indent=2))


def ratios(rounds: list[dict[str, dict[str, float]]]) -> dict[str, float]:
    """Of seconds by round and kind of run: full to plain, and new to full."""
    seconds = {
        kind: sum(one[kind]["seconds"] for one in rounds) for kind in ("new", "full", "plain")
    }
    return {
        "full_to_plain": round(seconds["full"] / seconds["plain"], 3),
        "new_to_full": round(seconds["new"] / seconds["full"], 3),
    }


def select(nodes: tuple[str, ...]) -> list[str]:
    """The arguments that choose nodes of a dbt command."""
    return ["--select", *nodes]


class Project:
    """A dbt project with a warehouse of its own in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "project"
        self.database = self.root / "kindred_build.duckdb"
        self.kept = folder / "with_state.duckdb"
        self.sample = folder / "sample"
        self.clusters = folder / "plain.parquet"
        self.environment = {
            **os.environ,
            "KINDRED_PRIVACY_KEY": "bench",
            "PYTHONPATH": str(ROOT / "python"),
        }

    def make(self, people: int) -> None:
        """A fresh project with `people` loaded."""
        self.root.mkdir(parents=True, exist_ok=True)
        for name in PARTS:
            source, target = ROOT / name, self.root / name
            if target.is_dir():
                shutil.rmtree(target)
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                shutil.copy(source, target)
        shutil.copy(ROOT / "profiles.example.yml", self.root / "profiles.yml")
        self.database.unlink(missing_ok=True)
        for command in (
            ["sample", "--people", str(people), "--out", str(self.sample)],
            ["load", str(self.sample)],
        ):
            self._run([_beside_python("kindred"), *command])

    def dbt(self, *arguments: str) -> float:
        """Run dbt; the peak of its memory in GB."""
        return self._run([_beside_python("dbt"), "--quiet", *arguments])

    def stage(self, *more: str) -> dict[str, float]:
        """Run the identity stage: seconds, seconds of matching alone, GB.

        What the bench itself has written, a copy of the warehouse among it, is on the disk before.
        """
        os.sync()
        peak = self.dbt("run", *more, *select(STAGE))
        text = (self.root / "target" / "run_results.json").read_text("utf-8")
        times = {row["unique_id"]: row["execution_time"] for row in json.loads(text)["results"]}
        return {
            "seconds": round(sum(times.values()), 1),
            "matching": round(times["model.kindred.int_person_resolution"], 1),
            "peak_gb": peak,
        }

    def plain(self) -> dict[str, float]:
        """Run the plain script on the records that matching got."""
        script = str(ROOT / "bench" / "plain_splink.py")
        started = time.monotonic()
        peak = self._run(
            [sys.executable, script, str(self.database), "--out", str(self.clusters)],
        )
        return {"seconds": round(time.monotonic() - started, 1), "peak_gb": peak}

    def hold_back(self) -> None:
        """Take 1% of the people out of the raw tables."""
        with duckdb.connect(str(self.database)) as con:
            con.execute("create schema held_back")
            for name, key in PEOPLE.items():
                source, table = name.split(".")
                held = f'held_back."{source}__{table}"'
                chosen = f"where hash({key}) % 100 = 0"
                con.execute(f'create table {held} as from {source}."{table}" {chosen}')
                con.execute(
                    f'delete from {source}."{table}" {chosen}'  # noqa: S608 (names of PEOPLE)
                )

    def give_back(self) -> None:
        """Put them in again: the new records."""
        with duckdb.connect(str(self.database)) as con:
            for name in PEOPLE:
                source, table = name.split(".")
                con.execute(f'insert into {source}."{table}" from held_back."{source}__{table}"')
            con.execute("drop schema held_back cascade")

    def finish_run(self) -> None:
        """Let the run count as finished, as the last node of a whole build does."""
        with duckdb.connect(str(self.database)) as con:
            con.execute(
                "create or replace table kindred.run_history as"
                " select generation from identity.generation"
            )

    def forget(self) -> None:
        """Take the state away, so that the next run is a first one."""
        with duckdb.connect(str(self.database)) as con:
            con.execute("drop table kindred.run_history")
            con.execute("drop table identity.int_person_id_ledger")

    def customers(self) -> pa.Table:
        """record_id, entity: who is one customer."""
        with duckdb.connect(str(self.database), read_only=True) as con:
            return con.execute(
                "select record_id, customer_id as entity from identity.int_person_ids"
            ).to_arrow_table()

    def compared(
        self,
        base: dict[str, float],
        new: dict[str, float],
        new_ids: pa.Table,
        full: dict[str, float],
        plain: dict[str, float],
    ) -> dict[str, Any]:
        """What is told of a round."""
        ours = self.customers()
        theirs = pq.read_table(self.clusters)
        truth = pq.read_table(self.sample / "truth" / "persons.parquet")
        truth = truth.select(["record_id", "person_id"]).rename_columns(["record_id", "entity"])
        truth = truth.filter(pc.is_in(truth["record_id"], ours["record_id"].combine_chunks()))
        return {
            "records": ours.num_rows,
            "base": base,
            "new": new,
            "full": full,
            "plain": plain,
            **ratios([{"new": new, "full": full, "plain": plain}]),
            "f1": metrics.bcubed(ours, truth).f1,
            "plain_f1": metrics.bcubed(theirs, truth).f1,
            "new_ends_as_full": metrics.bcubed(new_ids, ours).f1 == 1.0,
        }

    def _run(self, command: list[str]) -> float:
        process = subprocess.Popen(command, cwd=self.root, env=self.environment, stdout=sys.stderr)
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            raise SystemExit(f"{' '.join(command[:3])} ended with {status}.")
        return round(usage.ru_maxrss / 1e6, 2)


def _beside_python(name: str) -> str:
    return str(Path(sys.executable).parent / name)


if __name__ == "__main__":
    main()

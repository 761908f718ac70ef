"""The workflows for GitHub Actions run as written, step by step; see workflow_runner.py."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from postgres_server import PostgresDatabase, embedded_server
from whole_project import PRIVACY_KEY, REPOSITORY, plain_environment
from workflow_runner import Runner, make_repository

WORKFLOWS = REPOSITORY / ".github" / "workflows"
NIGHTLY = REPOSITORY / "docs" / "examples" / "github-actions.yml"
FEWER = {"PEOPLE": "300", "COMPANIES": "40"}
# Of the people of the sample, some are matched only below such a cut.
STRICTER = {
    "dbt_project.yml": (
        "identity_cut: {person: null, account: null}",
        "identity_cut: {person: 9, account: null}",
    )
}


def machine(
    folder: Path,
    given: dict[str, str] | None = None,
    change: dict[str, tuple[str, str]] | None = None,
) -> Runner:
    """A new machine of theirs, and a repository with the project as it is, or changed."""
    first = make_repository(folder / "repository", change or {})
    environment = plain_environment(**FEWER)
    environment.pop("KINDRED_PRIVACY_KEY")
    asked = {"github.event.pull_request.base.sha": first, **(given or {})}
    return Runner(folder / "machine" / "work", folder / "repository", asked, environment)


def ended(runner: Runner) -> dict[str, int]:
    """The exit code of each step by its name."""
    return {step.name: step.code for step in runner.steps}


def told(runner: Runner) -> str:
    return "\n".join(f"--- {step.name}: {step.code}\n{step.text[-3000:]}" for step in runner.steps)


@pytest.mark.slow
def test_a_night_on_github_builds_and_publishes(tmp_path: Path) -> None:
    """For whoever copies the example: with roles, secrets and raw tables it runs to its end."""
    with embedded_server() as server, server.new_database() as database:
        loader = machine(tmp_path / "loader")
        _load(loader, database)
        database.execute("create role nightly login in role kindred_build")
        login = {**database.address, "user": "nightly"}
        secrets = {
            "secrets.KINDRED_PG_HOST": login["host"],
            "secrets.KINDRED_PG_USER": login["user"],
            "secrets.KINDRED_PG_PASSWORD": login["password"],
            "secrets.KINDRED_PG_DATABASE": login["dbname"],
            "secrets.KINDRED_PRIVACY_KEY": PRIVACY_KEY,
        }
        runner = machine(tmp_path, secrets)
        runner.run(NIGHTLY, "build")
        assert set(ended(runner).values()) == {0}, told(runner)
        assert "Ready" in next(step.text for step in runner.steps if step.name == "Look before")
        assert "customers" in runner.summary
        ((people,),) = database.query("select count(*) from published.customers")
        assert people > 100


def _load(loader: Runner, database: PostgresDatabase) -> None:
    """What a loader and an administrator did before: raw tables and roles."""
    job = {
        "steps": [
            {"uses": "actions/checkout@v4"},
            {
                "run": "make .venv/.runtime profiles.yml\n"
                ".venv/bin/kindred sample --people $PEOPLE --companies $COMPANIES --out sample\n"
                ".venv/bin/kindred load sample --target postgres\n"
                ".venv/bin/kindred roles --target postgres --apply",
                "env": database.environment,
            },
        ]
    }
    path = loader.home.parent / "loader.yml"
    path.write_text(yaml.safe_dump({"jobs": {"load": job}}), "utf-8")
    loader.run(path, "load")
    assert set(ended(loader).values()) == {0}, told(loader)


@pytest.mark.slow
def test_a_pull_request_over_the_limits_fails_and_keeps_its_page(tmp_path: Path) -> None:
    """For whoever reviews a change of the matching: the gate is shut, and the page says why."""
    runner = machine(tmp_path, change=STRICTER)
    runner.run(WORKFLOWS / "identity-diff.yml", "diff")
    codes = ended(runner)
    assert codes.pop("Compare") == 1, told(runner)
    assert set(codes.values()) == {0}, told(runner)
    assert "Keep the page" in codes
    assert "split" in runner.summary


@pytest.mark.slow
def test_the_sample_is_built_and_its_reports_kept(tmp_path: Path) -> None:
    """For whoever reads the reports of a push: the job that builds the sample runs as written."""
    runner = machine(tmp_path)
    runner.run(WORKFLOWS / "ci.yml", "sample")
    assert set(ended(runner).values()) == {0}, told(runner)
    assert "customers" in runner.summary
    assert (runner.workspace / "reports" / "checks.xml").is_file()


def _workflow(folder: Path, *steps: dict[str, object]) -> Path:
    path = folder / "workflow.yml"
    path.write_text(yaml.safe_dump({"env": {"A": "1"}, "jobs": {"one": {"steps": list(steps)}}}))
    return path


def test_steps_run_as_a_runner_runs_them(tmp_path: Path) -> None:
    """For whoever trusts these tests: a step that fails ends the job, but for what asks to run."""
    runner = Runner(tmp_path / "m" / "w", tmp_path, {"secrets.S": "s"}, plain_environment())
    always = {"name": "last", "run": "echo last $A", "if": "${{ !cancelled() }}"}
    steps = (
        {"name": "first", "run": "echo $A$B ${{ secrets.S }}", "env": {"B": "2"}},
        {"name": "second", "run": "false\necho not reached"},
        {"name": "third", "run": "echo not reached"},
        always,
    )
    runner.run(_workflow(tmp_path, *steps), "one")
    assert ended(runner) == {"first": 0, "second": 1, "last": 0}
    assert [step.text for step in runner.steps] == ["12 s\n", "", "last 1\n"]


@pytest.mark.parametrize(
    "step",
    [
        {"run": "echo ${{ secrets.NOBODY_GIVES }}"},
        {"run": "true", "continue-on-error": True},
        {"run": "true", "if": "failure()"},
        {"uses": "somebody/something@v1"},
        {"uses": "actions/upload-artifact@v4", "with": {"path": "reports/report.html"}},
    ],
)
def test_nothing_is_passed_over(tmp_path: Path, step: dict[str, object]) -> None:
    """For whoever trusts these tests: what has no stand-in fails them instead of being left out."""
    runner = Runner(tmp_path / "m" / "w", tmp_path, {}, plain_environment())
    with pytest.raises((AssertionError, KeyError)):
        runner.run(_workflow(tmp_path, step), "one")

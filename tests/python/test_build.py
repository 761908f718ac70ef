"""`kindred build`: what is refused before dbt starts, what is told when it fails, what is shown."""

from __future__ import annotations

import fcntl
import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli_project import SmallProject, make_project, write
from cli_warehouse import PLANTED_EMAIL, build_warehouse
from kindred.cli.build import refuse_failed
from kindred.errors import KindredError
from kindred.project import load_profile, load_project
from kindred.warehouse import dbt_run
from kindred.warehouse.dbt_run import (
    MOMENT,
    DbtOutcome,
    Failure,
    dbt_arguments,
    environment_with,
    readable,
    stage_of,
)
from kindred.warehouse.lock import lock_holder, lock_path, run_lock
from kindred.warehouse.preflight import moment_problems
from test_publish import write_manifest


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> SmallProject:
    made = make_project(tmp_path, monkeypatch, capsys)
    write(made.root / "raw/stripe/customer.csv", "id,email\n1,a@example.com\n")
    write(made.root / "raw/shopify/customer.csv", "id\n1\n")
    return made


@pytest.fixture
def no_dbt(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """dbt is not started; the command lines it would have had are collected, and the moments."""
    calls: list[list[str]] = []

    def stand_in(
        arguments: list[str], _: Any, variables: dict[str, Any], *__: Any, umask: int, **___: Any
    ) -> DbtOutcome:
        # What dbt lays beside the working file is as private as that.
        assert umask == 0o077
        moment = environment_with(variables).get(MOMENT)
        calls.append([*arguments, f"{MOMENT}={moment}"])
        matching = Counter() if "nothing" in arguments else Counter({"ok": 2})
        return DbtOutcome(0, counts=matching, test_counts=Counter({"pass": 3}))

    monkeypatch.setattr(dbt_run, "run_dbt", stand_in)
    return calls


def edit(project: SmallProject, old: str, new: str) -> None:
    path = project.root / "dbt_project.yml"
    path.write_text(path.read_text().replace(old, new))


def unknown_source(project: SmallProject) -> None:
    edit(project, "shopify:", "shopfy:")


def unknown_stream(project: SmallProject) -> None:
    edit(project, "shopify: [person_records]", "shopify: [persons]")


def no_source(project: SmallProject) -> None:
    project.execute("create schema x")
    text = (project.root / "dbt_project.yml").read_text().split("  sources:")[0]
    write(project.root / "dbt_project.yml", text + "  sources: {}\n  segments: [new_customers]\n")


def unregistered_segment(project: SmallProject) -> None:
    write(project.root / "models/segments/seg_lapsed.sql", "select 1\n")


def segment_without_file(project: SmallProject) -> None:
    edit(project, "[new_customers]", "[new_customers, lapsed]")


def missing_table(project: SmallProject) -> None:
    project.execute("alter table stripe.customer rename to clients")


def missing_column(project: SmallProject) -> None:
    project.execute("alter table stripe.customer rename column id to key")


def empty_source(project: SmallProject) -> None:
    project.execute("delete from shopify.customer")


def no_moment(project: SmallProject) -> None:
    edit(project, "vars:\n", "vars:\n  as_of: first of May\n")


def no_date(project: SmallProject) -> None:
    edit(project, "vars:\n", "vars:\n  as_of: 2026-13-01\n")


def other_engine(project: SmallProject) -> None:
    path = project.root / "profiles.yml"
    path.write_text(path.read_text().replace("type: duckdb", "type: snowflake"))


def no_profile(project: SmallProject) -> None:
    (project.root / "profiles.yml").unlink()


WRONG: dict[Callable[[SmallProject], None], list[str]] = {
    unknown_source: ["Unknown source 'shopfy'", "shopify, stripe"],
    unknown_stream: ["unknown stream 'persons'", "person_records"],
    no_source: ["No source is on"],
    unregistered_segment: ["not registered", "add the line `- lapsed` under vars.segments"],
    segment_without_file: ["no file", "seg_lapsed.sql"],
    missing_table: ["'stripe' is on", "holds none of its tables", "kindred load"],
    missing_column: ["required column stripe.customer.id is missing"],
    empty_source: ["'shopify' is on, but its tables hold no row"],
    no_moment: ["as_of is no moment: first of May", "2026-06-30T12:00:00"],
    no_date: ["dbt_project.yml is not valid YAML", "month must be in 1..12"],
    other_engine: ["of type 'snowflake'", "duckdb and postgrespy"],
    no_profile: ["copy profiles.example.yml to profiles.yml"],
}


@pytest.mark.parametrize("wrong", list(WRONG), ids=lambda wrong: wrong.__name__)
def test_what_would_fail_is_told_before_dbt_starts(
    project: SmallProject, no_dbt: list[list[str]], wrong: Callable[[SmallProject], None]
) -> None:
    """For a beginner: one clear message, exit code 2, no stack trace, and dbt is not started."""
    assert project.run("load", "raw").code == 0
    wrong(project)
    outcome = project.run("build")
    assert outcome.code == 2
    for part in WRONG[wrong]:
        assert part in outcome.err, outcome.err
    assert "Traceback" not in outcome.text
    assert no_dbt == []


def test_before_any_load_the_next_command_is_named(
    project: SmallProject, no_dbt: list[list[str]]
) -> None:
    """For a beginner: without a database, `kindred load` is named."""
    outcome = project.run("build")
    assert outcome.code == 2
    assert "kindred load DIR" in outcome.err
    assert no_dbt == []


def test_a_second_run_ends_at_once_with_its_own_code(project: SmallProject) -> None:
    """For a scheduler: exit code 3, who holds the lock and since when; afterwards it is free."""
    project.run("load", "raw")
    with run_lock(project.database, "kindred build --sources a"):
        for arguments in (["build"], ["check"], ["publish"], ["load", "raw"]):
            outcome = project.run(*arguments)
            assert outcome.code == 3, arguments
            assert f"process {os.getpid()}" in outcome.err
            assert "kindred build --sources a" in outcome.err
    assert lock_holder(project.database) is None


def test_a_child_that_outlives_its_parent_keeps_the_lock(tmp_path: Path) -> None:
    """For data: a killed build whose dbt still writes is not overtaken by the next."""
    database = tmp_path / "kindred_build.duckdb"
    with run_lock(database, "kindred build") as descriptor:
        inherited = os.dup(descriptor)
    assert lock_holder(database) is not None
    os.close(inherited)
    assert lock_holder(database) is None
    with lock_path(database).open("r+") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_options_reach_dbt(project: SmallProject, no_dbt: list[list[str]]) -> None:
    """For a data engineer: the sources chosen, the moment and the variables are what dbt gets."""
    project.run("load", "raw")
    outcome = project.run(
        "build",
        "--sources",
        "stripe",
        "--as-of",
        "2026-06-30",
        "--vars",
        "{default_country: GB}",
        "--full-refresh",
        "--select",
        "customers+ accounts",
    )
    assert outcome.code == 0, outcome.err
    assert "neither checked nor published" in outcome.out
    arguments = no_dbt[0]
    assert json.loads(arguments[arguments.index("--vars") + 1]) == {
        "default_country": "GB",
        "sources": {"stripe": ["person_records", "record_transactions", "record_activities"]},
    }
    assert "--full-refresh" in arguments
    selected = arguments.index("--select")
    assert arguments[selected + 1 : selected + 3] == ["customers+", "accounts"]
    assert "--target=duckdb" in arguments
    assert "KINDRED_AS_OF=2026-06-30" in arguments


def test_without_a_moment_none_is_handed_on(
    project: SmallProject, no_dbt: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a scheduler: what is in the environment decides nothing that the checks did not see."""
    project.run("load", "raw")
    monkeypatch.setenv("KINDRED_AS_OF", "2020-01-01")
    project.run("build", "--select", "customers")
    project.run("build", "--select", "customers", "--vars", "{as_of: 2026-06-30}")
    project.run("build", "--select", "customers", "--vars", "{as_of: null}")
    handed = ["KINDRED_AS_OF=None", "KINDRED_AS_OF=2026-06-30", "KINDRED_AS_OF=None"]
    assert [call[-1] for call in no_dbt] == handed
    assert ["--vars" in call for call in no_dbt] == [False, False, True]


def test_wrong_options_are_told(project: SmallProject) -> None:
    """For a data engineer: an unknown source or torn --vars names what is right."""
    assert "shopify, stripe" in project.run("build", "--sources", "sap").err
    assert "not valid YAML" in project.run("build", "--vars", "{as_of: ").err
    assert "not a mapping" in project.run("build", "--vars", "as_of").err
    assert "not valid YAML" in project.run("build", "--vars", "{as_of: 2026-13-01}").err


def test_a_selection_of_nothing_is_an_error(project: SmallProject, no_dbt: list[list[str]]) -> None:
    """For whoever mistypes a name: no word of success, and no whole build for an empty name."""
    project.run("load", "raw")
    empty = project.run("build", "--select", " ")
    assert (empty.code, no_dbt) == (2, [])
    assert "--select names no node" in empty.err
    nothing = project.run("build", "--select", "nothing")
    assert nothing.code == 2
    assert "--select nothing matches nothing that is on" in nothing.err


@pytest.mark.parametrize(
    ("moment", "is_read"),
    [
        ("2026-06-30", True),
        ("2026-06-30T12:00:00Z", True),
        ("2026-06-30 12:00", True),
        ("2026-06-30T12:00:00+02:00", False),
        ("2026-02-30", False),
        ("20260630", False),
        ("tomorrow", False),
    ],
)
def test_a_moment_is_what_the_models_read(moment: str, is_read: bool) -> None:
    """For whoever gives --as-of: what the models would refuse in mid-run is told at once."""
    assert (moment_problems({"as_of": moment}) == []) is is_read
    assert moment_problems({}) == moment_problems({"as_of": None}) == []


def test_a_whole_run_checks_publishes_and_tells_what_people_ask(
    project: SmallProject, no_dbt: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For everybody: customers, consent, segments, checks, where things are; also for CI."""
    project.run("load", "raw")
    project.execute("drop schema stripe cascade")
    build_warehouse(project)
    project.execute(
        "create view streams.row_counts as"
        " select 'stripe' as source, 40 as raw_count, 37 as staged_count",
        "create table streams.quarantine as select 'stripe' as source, true as is_whole_row"
        " union all select 'stripe', false",
        "create table streams.collapsed_rows as select 'stripe' as source, 2 as collapsed_count",
    )
    write_manifest(project)
    summary = project.root / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    outcome = project.run("build", "--junit", "reports/checks.xml")
    assert outcome.code == 0, outcome.text
    for part in (
        "40 rows in, every one accounted for",
        "1 unusable value set aside",
        "customers",
        "records per customer",
        "100.0%",
        "new_customers",
        "fit for use",
        "3 passed",
        "published/current/kindred.duckdb",
        "kindred identity explain cus_",
    ):
        assert part in outcome.out, part
    assert (project.root / "published/current/kindred.duckdb").exists()
    assert (project.root / "reports/checks.xml").exists()
    assert "| stripe | 40 | 37 | 1 | 0 | 2 |" in summary.read_text()
    assert PLANTED_EMAIL not in outcome.text + summary.read_text()


def test_a_failed_check_publishes_nothing(project: SmallProject, no_dbt: list[list[str]]) -> None:
    """For readers: a critical check that fails ends the build with 1, and nothing is published."""
    project.run("load", "raw")
    project.execute("drop schema stripe cascade")
    build_warehouse(project)
    project.execute("insert into kindred.customers select * from kindred.customers limit 1")
    write_manifest(project)
    outcome = project.run("build")
    assert outcome.code == 1
    assert "No customer appears twice." in outcome.err
    assert not (project.root / "published").exists()


def test_a_failed_dbt_run_says_what_failed_and_how_grave_it_is() -> None:
    """For a data engineer: exit 1 when only data failed its tests, 2 when code did; dbt's words."""
    test = Failure("unique_customers_customer_id", "test", "", "Got 2 results, configured to fail")
    model = Failure("customers", "model", "", "Database Error in model customers")
    with pytest.raises(KindredError) as raised:
        refuse_failed(DbtOutcome(1, failures=[test]))
    assert raised.value.exit_code == 1
    assert "unique_customers_customer_id" in raised.value.message
    with pytest.raises(KindredError) as raised:
        refuse_failed(DbtOutcome(1, failures=[test, model]))
    assert raised.value.exit_code == 2
    with pytest.raises(KindredError) as raised:
        refuse_failed(DbtOutcome(2, message="Compilation Error"))
    assert raised.value.exit_code == 2
    refuse_failed(DbtOutcome(0))


def test_values_in_messages_are_blotted_out() -> None:
    """For the privacy officer: the engine quotes values in its errors; they go no further."""
    told = readable(
        "Runtime Error in model stg_x (models/staging/stg_x.sql)\n"
        "  Conversion Error: Could not convert string 'Jo Doe' to INT32\n"
        '  Duplicate key "email: jo@example.com" violates; phone +1 415 555 0100\n'
        "  LINE 3: select secret from x\n"
    )
    assert told.startswith("Runtime Error in model stg_x (models/staging/stg_x.sql)")
    for value in ("Jo Doe", "jo@example.com", "415 555", "secret"):
        assert value not in told


def test_stages_are_the_rooms_of_the_project() -> None:
    """For whoever watches a build: each node is shown under the room it lies in."""
    assert stage_of("model", "staging/stripe/stg_stripe__customers.sql") == "staging"
    assert stage_of("model", "intermediate/identity/int_person_links.sql") == "identity"
    assert stage_of("model", "marts/identity/identity_links.sql") == "marts"
    assert stage_of("model", "segments/seg_lapsed.sql") == "segments"
    assert stage_of("seed", "reference/countries.csv") == "seeds"
    assert stage_of("test", "unique_customers.sql") == "tests"


def test_the_profile_is_read_by_dbts_rules(
    project: SmallProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a data engineer: env_var, DBT_PROFILES_DIR and the target are honoured."""
    monkeypatch.setenv("KINDRED_DATABASE", "elsewhere/w.duckdb")
    loaded = load_project(project.root)
    profile = load_profile(loaded)
    assert profile.duckdb_path() == project.root / "elsewhere/w.duckdb"
    assert profile.schema_of("streams") == "streams"
    arguments = dbt_arguments("build", loaded, profile, {})
    assert "--vars" not in arguments
    with pytest.raises(KindredError, match="no target 'spark'"):
        load_profile(loaded, "spark")
    monkeypatch.setenv("DBT_PROFILES_DIR", str(project.root / "raw"))
    with pytest.raises(KindredError, match="No profile"):
        load_profile(loaded)


def test_an_error_of_ours_inside_a_model_is_told_without_its_stack_trace() -> None:
    """A Python model that refuses to run says why and what to do, not where it stood."""
    told = readable(
        "Python model failed:\nTraceback (most recent call last):\n"
        '  File "model.py", line 8, in model\n'
        "kindred.errors.KindredError: The privacy key is not set. Set KINDRED_PRIVACY_KEY."
    )
    assert told == "The privacy key is not set. Set KINDRED_PRIVACY_KEY."

"""`kindred identity diff` as it is called: candidates really built, and what is refused."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from cli_project import SmallProject, make_project
from kindred.identity.workshops import workshop_folder
from kindred.warehouse.lock import run_lock
from test_identity_diff import State
from whole_project import REPOSITORY, Ended, WholeProject

# Wide enough for whatever a small sample may show; single tests tighten one.
WIDE = ("--max-merged", "100%", "--max-split", "100%", "--max-moved", "100%")
WIDE += ("--max-segment-change", "100%")


@dataclass(frozen=True)
class Tried:
    """A diff that built a candidate, the base's bytes before and after it, what it kept."""

    ended: Ended
    before: str
    after: str
    kept: Path
    page: str

    @property
    def told(self) -> dict[str, Any]:
        """The diff as JSON, from between progress and errors."""
        text = "\n" + self.ended.text
        end = text.index("\n}\n", text.index("\n{\n")) + 2
        found: dict[str, Any] = json.loads(text[text.index("\n{\n") : end])
        return found

    def change(self, entity: str) -> dict[str, Any]:
        """What became of customers (person) or accounts."""
        found: dict[str, Any] = {c["entity"]: c for c in self.told["entities"]}[entity]
        return found


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def project(built_project: WholeProject, tmp_path_factory: pytest.TempPathFactory) -> WholeProject:
    """A copy of the built project for all diffs here: a diff changes nothing of it."""
    root = tmp_path_factory.mktemp("diff") / "project"
    shutil.copytree(built_project.root, root, ignore=shutil.ignore_patterns("sample", "published"))
    return WholeProject(root)


def tried(project: WholeProject, folder: Path, *arguments: str) -> Tried:
    kept, page = folder / "kept.duckdb", folder / "diff.html"
    before = digest(project.database)
    ended = project.kindred(
        "identity", "diff", "--json", "--html", str(page), "--keep", str(kept), *WIDE, *arguments
    )
    assert page.is_file(), ended.text
    return Tried(ended, before, digest(project.database), kept, page.read_text("utf-8"))


@pytest.fixture(scope="module")
def unchanged(project: WholeProject, tmp_path_factory: pytest.TempPathFactory) -> Tried:
    """The code as it is, rebuilt from the raw tables."""
    return tried(project, tmp_path_factory.mktemp("unchanged"), "--max-merged", "0")


@pytest.fixture(scope="module")
def decided(project: WholeProject, tmp_path_factory: pytest.TempPathFactory) -> Tried:
    """One must-link between two customers of one record each, one cannot-link within another."""
    folder = tmp_path_factory.mktemp("decided")
    singles = project.query(
        "select min(record_id) from kindred.customer_source_records group by customer_id "
        "having count(*) = 1 order by 1 limit 2"
    )
    pairs = project.query(
        "select min(record_id), max(record_id) from kindred.customer_source_records "
        "group by customer_id having count(*) = 2 order by 1 limit 1"
    )
    (one,), (other,) = singles
    left, right = pairs[0]
    decisions = folder / "decisions.csv"
    decisions.write_text(
        "entity,decision,record_id_l,record_id_r,author,reason,valid_from,valid_to\n"
        f"person,must_link,{one},{other},a steward,they called,,\n"
        f"person,cannot_link,{left},{right},a steward,they called,,\n",
        "utf-8",
    )
    return tried(project, folder, "--overrides", str(decisions), "--max-merged", "0")


@pytest.fixture(scope="module")
def stricter(project: WholeProject, tmp_path_factory: pytest.TempPathFactory) -> Tried:
    """A higher cut for people."""
    return tried(project, tmp_path_factory.mktemp("stricter"), "--cut", "person=4")


def test_the_same_code_changes_nothing(unchanged: Tried) -> None:
    """A pull request that does not touch matching passes, even with no change allowed."""
    unchanged.ended.expect(0)
    assert unchanged.told["is_empty"], unchanged.ended.text
    assert "raw tables" in unchanged.told["change"][0]
    assert "Nothing differs" in unchanged.page


def test_the_base_is_only_read(unchanged: Tried, decided: Tried, stricter: Tried) -> None:
    """Whoever tries a change keeps the working database byte for byte."""
    for one in (unchanged, decided, stricter):
        assert one.before == one.after


def test_a_must_link_is_one_merge(decided: Tried) -> None:
    """A steward sees the one merge the decision makes, with the decision as its cause."""
    change = decided.change("person")
    assert (change["merges"], change["merged"]) == (1, 2)
    (example,) = [
        e for e in decided.told["examples"] if (e["kind"], e["ranked_by"]) == ("merge", "records")
    ]
    assert [cause["link_type"] for cause in example["causes"]] == ["steward"]


def test_a_cannot_link_is_one_split(decided: Tried) -> None:
    """The forbidden pair is one split, told as kept apart by a steward; one record moved a side."""
    change = decided.change("person")
    assert (change["splits"], change["split"]) == (1, 1)
    assert change["records_moved"] == 2
    assert change["unchanged"] == change["base"] - 3
    assert decided.change("account")["unchanged"] == decided.change("account")["base"]
    causes = [
        cause["rule"]
        for e in decided.told["examples"]
        if (e["kind"], e["ranked_by"]) == ("split", "records")
        for cause in e["causes"]
    ]
    assert causes[0] == "cannot link"


def test_a_limit_stops_the_change(decided: Tried) -> None:
    """With --max-merged 0 the merge ends the command with 1, and the message says what merged."""
    decided.ended.expect(1)
    assert "customers: 2 of" in decided.ended.text
    assert [v["limit"] for v in decided.told["limits"] if v["is_passed"]] == ["merged"]


def test_a_higher_cut_splits(stricter: Tried) -> None:
    """A cut tried for people splits customers by their weights and leaves accounts alone."""
    people, accounts = stricter.change("person"), stricter.change("account")
    assert people["splits"] > 0
    assert people["candidate"] > people["base"]
    assert accounts["unchanged"] == accounts["base"]
    assert stricter.told["change"][0].endswith("tried: cut person=4")
    assert {c["kind"] for c in stricter.told["causes"]} <= {"split", "merge"}


def test_members_add_up_through_splits(stricter: Tried) -> None:
    """Every segment's members add up: before, less merged and lost, more gained and split off."""
    for s in stricter.told["segments"]:
        moves = s["gained"] + s["parted"] - s["lost"] - s["joined"]
        assert s["base"] + moves == s["candidate"], s


def test_nobody_gains_a_permission(decided: Tried, stricter: Tried) -> None:
    """Merging by decision puts nothing in force that nobody gave, splitting no contact.

    A split may free a person's own answer to a purpose of the whole person, such as profiling,
    from the silence of another; the diff tells of it, so that somebody looks.
    """
    assert decided.told["consent_gained"] == 0
    assert {gain["channel"] for gain in stricter.told["consent_gains"]} <= {"any"}


def test_reports_hold_no_personal_value(project: WholeProject, stricter: Tried) -> None:
    """What a pull request shows to everybody holds no name, email or phone number."""
    assert stricter.change("person")["splits"]
    values = project.query(
        "select distinct v from (select unnest([email, phone, full_name, street]) as v "
        "from streams.person_records) where length(v) > 6"
    )
    assert values
    for (value,) in values:
        assert str(value) not in stricter.ended.text
        assert str(value) not in stricter.page


def test_a_kept_candidate_is_compared_without_building(
    project: WholeProject, decided: Tried
) -> None:
    """A candidate built once gives the same figures again with --candidate; limits still hold."""
    again = project.kindred(
        "identity", "diff", "--candidate", str(decided.kept), "--json", *WIDE
    ).expect(0)
    told = json.loads(again.text)
    assert told["entities"] == decided.told["entities"]
    assert told["segments"] == decided.told["segments"]
    assert told["examples"] == decided.told["examples"]


def test_a_diff_leaves_no_trace_in_the_project(project: WholeProject, stricter: Tried) -> None:
    """Publishing after a diff publishes the build, not the candidate: target/ stays the build's."""
    assert stricter.kept.is_file()
    run_results = json.loads((project.root / "target" / "run_results.json").read_text("utf-8"))
    assert len(run_results["results"]) > 200
    seed = project.root / "seeds" / "stewardship" / "identity_overrides.csv"
    assert len(seed.read_text("utf-8").splitlines()) == 1


@pytest.mark.parametrize("name", ["kindred.duckdb", "kindred_restricted.duckdb"])
def test_published_files_are_compared_too(
    built_project: WholeProject, project: WholeProject, name: str
) -> None:
    """What people read now, masked or restricted, can be held against a build: nothing differs."""
    published = built_project.root / "published" / "current" / name
    ended = project.kindred(
        "identity", "diff", "--json", "--base", str(published), "--candidate", str(project.database)
    ).expect(0)
    told = json.loads(ended.text)
    assert told["is_empty"]
    assert told["entities"][0]["unchanged"] > 0


def test_pull_requests_that_touch_the_matching_are_compared() -> None:
    """For reviewers: the job watches every folder that the matching is made of, and no other."""
    workflow = yaml.safe_load((REPOSITORY / ".github/workflows/identity-diff.yml").read_text())
    # YAML reads the key `on` as true.
    watched = workflow[True]["pull_request"]["paths"]
    assert all(list(REPOSITORY.glob(path.replace("/**", "/*"))) for path in watched), watched
    rooms = {path.parent for path in REPOSITORY.glob("models/*/identity/*.sql")}
    rooms |= {REPOSITORY / "macros/identity", REPOSITORY / "python/kindred/identity"}
    assert {f"{room.relative_to(REPOSITORY)}/**" for room in rooms} <= set(watched)
    commands = "\n".join(str(step.get("run")) for step in workflow["jobs"]["diff"]["steps"])
    assert "kindred identity diff --base" in commands


_KILLED = """
import os, signal
from kindred.identity.workshops import workshop_folder
with workshop_folder() as place:
    (place / "kindred_build.duckdb").write_text("a copy")
    print(place, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_diff_leaves_its_copy_no_longer_than_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Privacy officers: no copy of the database stays in a temporary folder; none in use goes."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    left = Path(killed.stdout.strip())
    assert (left / "kindred_build.duckdb").is_file()
    stranger = tmp_path / "kindred-diff-of-somebody"
    stranger.mkdir()
    with run_lock(left / "kindred_build.duckdb", "dbt"), workshop_folder():
        assert left.is_dir()
    with workshop_folder() as one:
        assert not left.exists()
        with workshop_folder() as other:
            assert one.is_dir()
            assert other != one
    assert sorted(tmp_path.iterdir()) == [stranger]


@pytest.fixture
def small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> SmallProject:
    """A project whose working database is a hand-made state."""
    made = make_project(tmp_path, monkeypatch, capsys)
    State({"a": ["1", "2"]}).write(made.database)
    return made


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--base", "none.duckdb"], "none.duckdb"),
        (["--candidate", "none.duckdb"], "none.duckdb"),
        (["--candidate", "kindred_build.duckdb"], "both kindred_build.duckdb"),
        (["--candidate", "x.duckdb", "--cut", "person=1"], "built already"),
        (["--max-merged", "1.5"], "--max-merged is neither a share nor a number: 1.5"),
        (["--max-segment-change", "120%"], "--max-segment-change"),
        (["--max-consent-gained", "1%"], "write a whole number"),
        (["--cut", "3"], "person=3"),
        (["--cut", "dog=3"], "person=3"),
        (["--model", "none.json"], "none.json cannot be read"),
        (["--vars", "["], "--vars is not valid YAML"),
        (["--overrides", "none.csv"], "no file of decisions"),
    ],
)
def test_wrong_arguments_are_told(small: SmallProject, arguments: list[str], told: str) -> None:
    """A mistake in the call ends with 2 and one line that names it, before anything is built."""
    small.execute(
        "create schema identity",
        "create table identity.generation as "
        "select 1::bigint as generation, 'r' as run_id, timestamp '2026-01-31' as as_of",
    )
    ended = small.run("identity", "diff", *arguments)
    assert ended.code == 2, ended.text
    assert told in ended.text
    assert "What to do:" in ended.text


def test_an_unfinished_base_is_refused(small: SmallProject) -> None:
    """Tables of a run that broke off do not belong together, so nothing is compared with them."""
    small.execute(
        "create schema identity",
        "create table identity.generation as "
        "select 2::bigint as generation, 'r' as run_id, timestamp '2026-01-31' as as_of",
    )
    ended = small.run("identity", "diff")
    assert ended.code == 2
    assert "did not finish" in ended.text


def test_a_base_in_use_is_refused(small: SmallProject) -> None:
    """While a build is at work on the base, a diff ends at once with 3 and says who holds it."""
    small.execute(
        "create schema identity",
        "create table identity.generation as "
        "select 1::bigint as generation, 'r' as run_id, timestamp '2026-01-31' as as_of",
    )
    other = State({"a": ["1", "2"]}).write(small.root / "other.duckdb")
    with run_lock(small.database, "kindred build"):
        for arguments in ([], ["--candidate", str(other)]):
            ended = small.run("identity", "diff", *arguments)
            assert ended.code == 3, ended.text
            assert "kindred build" in ended.text


def test_two_databases_are_compared_as_text(small: SmallProject) -> None:
    """Without building: a table for people, 0 within the limits, 1 over them, the limits' names."""
    State({"a": ["1"], "b": ["2"]}).write(small.root / "other.duckdb")
    calm = small.run("identity", "diff", "--candidate", "other.duckdb")
    assert (calm.code, calm.err) == (0, "")
    assert "No limit is set." in calm.out
    assert "a becomes 2 customers" in calm.out
    strict = small.run("identity", "diff", "--candidate", "other.duckdb", "--max-split", "0")
    assert strict.code == 1
    assert "customers: 1 of 1 split (100.0%); at most 0 may be" in strict.err
    write = duckdb.connect(str(small.root / "fresh.duckdb"))
    write.close()
    ended = small.run("identity", "diff", "--candidate", "fresh.duckdb")
    assert "not a Kindred database" in ended.err

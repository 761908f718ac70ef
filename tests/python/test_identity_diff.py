"""The diff of two states of matching: what an analyst is told, and what stops a pull request."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from markupsafe import escape

from hostile_values import HOSTILE
from kindred.errors import KindredError, harmless
from kindred.identity import diff_report
from kindred.identity.candidate import Change, read_decisions
from kindred.identity.diff import compare_files
from kindred.identity.diff_changes import Diff, EntityChange
from kindred.identity.diff_limits import judge, parse_limit, read_limits
from kindred.warehouse.exposure import masked

Groups = Mapping[str, Sequence[str]]

TABLES = """
create schema kindred;
create table kindred.customer_source_records (customer_id text, record_id text);
create table kindred.account_source_records (account_id text, record_id text);
create table kindred.customer_id_map (customer_id text, current_customer_id text);
create table kindred.account_id_map (account_id text, current_account_id text);
create table kindred.customers (
    customer_id text, can_email boolean, can_sms boolean, can_phone boolean, can_post boolean,
    can_personalise boolean, can_profile boolean, can_share_with_ads boolean
);
create table kindred.customer_consents (
    customer_id text, purpose text, channel text, contact_point text, status text,
    is_granted boolean
);
create table kindred.segments (segment_name text, entity text);
create table kindred.segment_members (segment_name text, entity text, member_id text);
create table kindred.identity_links (
    entity text, record_id_l text, record_id_r text, link_type text, rule text, match_weight double
);
create table kindred.transactions (
    customer_id text, account_id text, currency text, amount numeric(18, 2), is_revenue boolean
);
create table kindred.run_history (generation bigint, as_of timestamp);
insert into kindred.run_history values (1, timestamp '2026-01-31');
"""
NO_FLAG = (False,) * 6


@dataclass(frozen=True)
class State:
    """A hand-made state: customers and accounts as sets of records, and what hangs on them."""

    customers: Groups
    accounts: Groups = field(default_factory=dict)
    # Ids that stand for others now; every other known id stands for itself.
    merged_ids: Mapping[str, str] = field(default_factory=dict)
    known: bool = True
    emailable: Sequence[str] = ()
    # (customer, purpose, channel, contact point, status)
    consents: Sequence[tuple[str, str, str, str | None, str]] = ()
    segments: Mapping[str, Sequence[str]] = field(default_factory=dict)
    account_segments: Mapping[str, Sequence[str]] = field(default_factory=dict)
    links: Sequence[tuple[str, str, str, str, float | None]] = ()
    # (customer, currency, amount)
    revenue: Sequence[tuple[str, str, int]] = ()

    def write(self, path: Path) -> Path:
        with duckdb.connect(str(path)) as con:
            con.execute(TABLES)

            def fill(table: str, rows: Sequence[tuple[object, ...]]) -> None:
                if rows:
                    marks = ", ".join("?" * len(rows[0]))
                    con.executemany(f"insert into kindred.{table} values ({marks})", rows)

            for noun, groups in (("customer", self.customers), ("account", self.accounts)):
                pairs = [(name, record) for name, own in groups.items() for record in own]
                fill(f"{noun}_source_records", pairs)
                if self.known:
                    fill(f"{noun}_id_map", [(name, name) for name in groups])
            fill("customer_id_map", list(self.merged_ids.items()))
            fill("customers", [(n, n in self.emailable, *NO_FLAG) for n in self.customers])
            fill("customer_consents", [(*row, row[4] == "granted") for row in self.consents])
            for entity, segments in (
                ("customer", self.segments),
                ("account", self.account_segments),
            ):
                fill("segments", [(name, entity) for name in segments])
                fill(
                    "segment_members",
                    [(name, entity, member) for name, own in segments.items() for member in own],
                )
            fill("identity_links", [("person", *link) for link in self.links])
            fill("transactions", [(c, None, currency, n, True) for c, currency, n in self.revenue])
        return path


def compared(folder: Path, base: State, candidate: State, examples: int = 5) -> Diff:
    return compare_files(
        base.write(folder / "base.duckdb"),
        candidate.write(folder / "candidate.duckdb"),
        examples=examples,
    )


def customers(diff: Diff) -> EntityChange:
    return diff.entities[0]


def fates(change: EntityChange) -> dict[str, int]:
    names = (
        "unchanged", "merged", "split", "merged_and_split", "records_changed", "retired", "new",
    )  # fmt: skip
    found = {name: getattr(change, name) for name in names}
    return {name: count for name, count in found.items() if count}


def test_equal_states_differ_in_nothing(tmp_path: Path) -> None:
    """Whoever compares a state with itself is told that nothing differs, whatever the row order."""
    base = State({"a": ["1", "2"], "b": ["3"]}, {"x": ["9"]}, segments={"s": ["a"]})
    again = State({"b": ["3"], "a": ["2", "1"]}, {"x": ["9"]}, segments={"s": ["a"]})
    found = compared(tmp_path, base, again)
    assert found.is_empty
    assert fates(found.entities[0]) == {"unchanged": 2}
    assert fates(found.entities[1]) == {"unchanged": 1}


def test_a_merge_counts_its_customers_and_the_records_that_moved(tmp_path: Path) -> None:
    """Two customers in one: one merge, two merged, and only the records of the lost id moved."""
    base = State({"a": ["1", "2"], "b": ["3"], "c": ["4"]})
    merged = State({"a": ["1", "2", "3"], "c": ["4"]}, merged_ids={"b": "a"})
    change = customers(compared(tmp_path, base, merged))
    assert fates(change) == {"merged": 2, "unchanged": 1}
    assert (change.merges, change.splits, change.records_moved) == (1, 0, 1)


def test_a_split_counts_one_customer(tmp_path: Path) -> None:
    """One customer in two: one split, and the new id is not a new customer."""
    base = State({"a": ["1", "2", "3"]})
    split = State({"a": ["1", "2"], "b": ["3"]})
    change = customers(compared(tmp_path, base, split))
    assert fates(change) == {"split": 1}
    assert (change.merges, change.splits, change.records_moved) == (0, 1, 1)


def test_a_record_that_changes_hands_is_a_split_and_a_merge(tmp_path: Path) -> None:
    """A record that goes from one customer to another splits the one and merges with the other."""
    base = State({"a": ["1", "2"], "b": ["3"]})
    moved = State({"a": ["1"], "b": ["2", "3"]})
    change = customers(compared(tmp_path, base, moved))
    assert fates(change) == {"merged_and_split": 1, "merged": 1}
    assert (change.merges, change.splits, change.records_moved) == (1, 1, 1)


def test_new_data_is_told_apart_from_merges_and_splits(tmp_path: Path) -> None:
    """Records that came or went make customers new, retired or grown: never merged or split."""
    base = State({"a": ["1"], "b": ["2"], "c": ["3"]})
    later = State({"a": ["1", "4"], "b": ["2"], "d": ["5"]})
    change = customers(compared(tmp_path, base, later))
    assert fates(change) == {"records_changed": 1, "unchanged": 1, "retired": 1, "new": 1}
    assert (change.records_added, change.records_gone, change.records_moved) == (2, 1, 0)


@pytest.mark.parametrize("seed", range(4))
def test_every_customer_is_counted_once(tmp_path: Path, seed: int) -> None:
    """Any two partitions: the counts are those of a plain comparison of sets, and add up."""
    rng = random.Random(seed)

    def partition(records: Sequence[int]) -> dict[str, list[str]]:
        groups: dict[str, list[str]] = {}
        for record in records:
            groups.setdefault(f"g{rng.randrange(25)}", []).append(str(record))
        return groups

    before, after = partition(range(60)), partition(range(10, 70))
    change = customers(compared(tmp_path, State(before), State(after)))
    expected: dict[str, int] = {}
    for own in map(set, before.values()):
        parts = [set(group) for group in after.values() if own & set(group)]
        shared = {r for other in before.values() if set(other) != own for r in other}
        meets = any(part & shared for part in parts)
        if not parts:
            fate = "retired"
        elif len(parts) > 1:
            fate = "merged_and_split" if meets else "split"
        elif meets:
            fate = "merged"
        else:
            fate = "unchanged" if parts[0] == own else "records_changed"
        expected[fate] = expected.get(fate, 0) + 1
    everyone = {r for group in before.values() for r in group}
    new = sum(not everyone & set(group) for group in after.values())
    assert fates(change) == {**expected, **({"new": new} if new else {})}
    assert sum(expected.values()) == change.base == len(before)


def test_a_member_who_merged_is_not_lost(tmp_path: Path) -> None:
    """Owners of segments see only people who really came or went; id changes are led forward."""
    base = State(
        {"a": ["1"], "b": ["2"], "c": ["3"], "d": ["4", "5"], "e": ["6"], "f": ["7"]},
        {"x": ["8"], "y": ["9"]},
        segments={"buyers": ["a", "b", "c", "d", "f"], "gone": ["e"]},
        account_segments={"firms": ["x", "y"]},
    )
    candidate = State(
        {"a": ["1", "2"], "c": ["3"], "d": ["4"], "d2": ["5"], "e": ["6"]},
        {"x": ["8", "9"]},
        merged_ids={"b": "a"},
        segments={"buyers": ["a", "d", "d2", "e"], "fresh": ["a"]},
        account_segments={"firms": ["x"]},
    )
    found = {s.segment: s for s in compared(tmp_path, base, candidate).segments}
    buyers = found["buyers"]
    # c left, f is retired; e came; b is one with a; d2 is a part of d.
    assert (buyers.gained, buyers.lost, buyers.joined, buyers.parted) == (1, 2, 1, 1)
    assert buyers.base is not None
    moves = buyers.gained + buyers.parted - buyers.lost - buyers.joined
    assert buyers.base + moves == buyers.candidate
    assert (found["firms"].joined, found["firms"].lost) == (1, 0)
    assert (found["gone"].base, found["gone"].candidate) == (1, None)
    assert (found["fresh"].base, found["fresh"].candidate) == (None, 1)


def test_ids_of_another_history_are_led_forward_by_records(tmp_path: Path) -> None:
    """A candidate that never knew the base's ids: members are still found, by their records."""
    base = State({"a": ["1", "2"]}, segments={"s": ["a"]})
    other = State({"z": ["1", "2"]}, segments={"s": ["z"]})
    found = compared(tmp_path, base, other)
    change = customers(found)
    assert (change.unchanged, change.records_moved, change.unknown_ids) == (1, 2, 1)
    assert found.segments[0].changed == 0
    assert not found.is_empty


def consent_after_merge(tmp_path: Path, one: str, other: str) -> int:
    """Merge customers whose same contact point is `one` and `other`, granted afterwards."""
    point = ("marketing", "email", "p1")
    base = State({"a": ["1"], "b": ["2"]}, consents=[("a", *point, one), ("b", *point, other)])
    merged = State({"a": ["1", "2"]}, merged_ids={"b": "a"}, consents=[("a", *point, "granted")])
    return compared(tmp_path, base, merged).consent_gained


@pytest.mark.parametrize(
    ("one", "other", "gained"),
    [
        ("granted", "unknown", 0),
        ("granted", "granted", 0),
        ("granted", "denied", 1),
        ("unknown", "pending", 1),
        ("denied", "denied", 1),
    ],
)
def test_a_permission_that_nobody_gave_is_counted(
    tmp_path: Path, one: str, other: str, gained: int
) -> None:
    """For the privacy officer: a merge that turns not granted, or denied, into granted is told."""
    assert consent_after_merge(tmp_path, one, other) == gained


@pytest.mark.parametrize("status", ["denied", "unknown"])
def test_consent_is_told_against_a_masked_publication(tmp_path: Path, status: str) -> None:
    """What everybody may read hides contact points; a permission that nobody gave shows still."""
    anna, bert = "anna@example.com", "bert@example.com"
    point = ("a", "marketing", "email")
    base = State({"a": ["1"]}, consents=[(*point, anna, "granted"), (*point, bert, status)])
    given = State({"a": ["1"]}, consents=[(*point, anna, "granted"), (*point, bert, "granted")])
    public = base.write(tmp_path / "public.duckdb")
    with duckdb.connect(str(public)) as con:
        for (table,) in con.execute("select table_name from duckdb_tables()").fetchall():
            con.execute(f"create table main.{table} as select * from kindred.{table}")
        shown = masked("contact_point", "VARCHAR")
        con.execute(f"update main.customer_consents set contact_point = {shown}")
        con.execute("drop schema kindred cascade")
    same = compare_files(public, base.write(tmp_path / "same.duckdb"))
    assert same.is_empty
    assert compare_files(public, given.write(tmp_path / "given.duckdb")).consent_gained == 1


def test_consent_of_new_records_is_not_blamed_on_matching(tmp_path: Path) -> None:
    """A new record may bring a new contact point with consent; a split may not bring one back."""
    base = State(
        {"a": ["1"], "b": ["2", "3"]},
        consents=[("b", "marketing", "email", "p2", "denied")],
    )
    later = State(
        {"a": ["1", "9"], "b": ["2"], "c": ["3"]},
        consents=[
            ("a", "marketing", "email", "p9", "granted"),
            ("c", "marketing", "email", "p2", "granted"),
        ],
    )
    gains = compared(tmp_path, base, later).consent_gains
    assert [(g.purpose, g.channel, g.permissions, g.customers) for g in gains] == [
        ("marketing", "email", 1, ("c",))
    ]


def test_flags_are_counted_for_customers_of_the_base(tmp_path: Path) -> None:
    """Who may be emailed no longer, or from now on, is counted though ids changed."""
    base = State({"a": ["1"], "b": ["2"], "c": ["3"]}, emailable=["a", "c"])
    candidate = State({"a": ["1", "2"], "c": ["3"]}, merged_ids={"b": "a"}, emailable=["a"])
    flag = compared(tmp_path, base, candidate).flags[0]
    assert (flag.flag, flag.base, flag.candidate, flag.gained, flag.lost) == (
        "can_email", 2, 1, 1, 1,
    )  # fmt: skip


def test_examples_name_the_largest_and_what_causes_them(tmp_path: Path) -> None:
    """A reviewer sees the largest merge by records, the dearest by money, and the links behind."""
    base = State(
        {"a": ["1", "2"], "b": ["3", "4"], "c": ["5"], "d": ["6"], "e": ["7", "8"]},
        links=[("7", "8", "probabilistic", "weighed fields", 1.5)],
        revenue=[("c", "EUR", 900), ("d", "EUR", 100), ("d", "USD", 5)],
    )
    candidate = State(
        {"a": ["1", "2", "3", "4"], "c": ["5", "6"], "e": ["7"], "f": ["8"]},
        merged_ids={"b": "a", "d": "c"},
        links=[
            ("1", "3", "probabilistic", "weighed fields", 9.25),
            ("2", "4", "deterministic", "same user id", None),
            ("1", "2", "deterministic", "same user id", None),
            ("5", "6", "steward", "must link", None),
        ],
    )
    found = compared(tmp_path, base, candidate, examples=1)
    by = {(e.kind, e.ranked_by): e for e in found.examples}
    assert by["merge", "records"].entity_id == "a"
    assert [c.rule for c in by["merge", "records"].causes] == ["same user id", "weighed fields"]
    dearest = by["merge", "money"]
    assert (dearest.entity_id, dearest.causes[0].rule) == ("c", "must link")
    assert dearest.money == {"EUR": Decimal(1000), "USD": Decimal(5)}
    assert [part.entity_id for part in by["split", "records"].parts] == ["e", "f"]
    assert by["split", "records"].causes[0].match_weight == 1.5
    assert {(c.kind, c.rule, c.count) for c in found.causes} == {
        ("merge", "must link", 1),
        ("merge", "same user id", 1),
        ("merge", "weighed fields", 1),
        ("split", "weighed fields", 1),
    }


def changed_states() -> tuple[State, State]:
    base = State(
        {"a": ["1", "2"], "b": ["3"], "c": ["4", "5"]},
        segments={"buyers": ["a", "b"]},
        revenue=[("a", "EUR", 10)],
    )
    candidate = State(
        {"a": ["1", "2", "3"], "c": ["4"], "d": ["5"]},
        merged_ids={"b": "a"},
        segments={"buyers": ["a", "d"]},
    )
    return base, candidate


def test_the_same_databases_give_the_same_bytes(tmp_path: Path) -> None:
    """Whoever keeps reports under version control sees a change only where there is one."""
    base, candidate = changed_states()
    first = compared(tmp_path, base, candidate)
    again = compare_files(tmp_path / "base.duckdb", tmp_path / "candidate.duckdb")
    verdicts = judge(first, read_limits({}, {"merged": "0"}))
    for write in (diff_report.as_text, diff_report.as_json):
        assert write(first, verdicts, ["x"]) == write(again, verdicts, ["x"])
    diff_report.write_page(first, verdicts, ["x"], tmp_path / "1.html")
    diff_report.write_page(again, verdicts, ["x"], tmp_path / "2.html")
    page = (tmp_path / "1.html").read_text("utf-8")
    assert page == (tmp_path / "2.html").read_text("utf-8")
    assert "a becomes" not in page
    assert "2 customers become a" in page
    # The page loads nothing.
    assert "http" not in page
    assert "src=" not in page


@pytest.mark.parametrize("name", ["script", "image", "control", "line breaks", "bidi override"])
def test_hostile_keys_stay_text(tmp_path: Path, name: str) -> None:
    """For reviewers: a key that a source made up runs in no page and steers no terminal."""
    key = f"crm:contact:{HOSTILE[name]}"
    diff = compared(tmp_path, State({"a": [key], "b": ["2"]}), State({"a": [key, "2"]}))
    diff_report.write_page(diff, [], [], tmp_path / "diff.html")
    page = (tmp_path / "diff.html").read_bytes().decode()
    assert str(escape(key)) in page
    assert HOSTILE[name] not in page or HOSTILE[name] == str(escape(HOSTILE[name]))
    lines = diff_report.as_text(diff, [], []).split("\n")
    assert any(harmless(key) in line for line in lines)
    assert all(line.isprintable() for line in lines)


def test_limits_hold_for_each_segment_and_entity(tmp_path: Path) -> None:
    """A pull request fails on the one segment that changed too much, and is told which."""
    base, candidate = changed_states()
    found = compared(tmp_path, base, candidate)
    limits = read_limits(
        {"identity_diff_limits": {"merged": "70%", "split": 0, "segment_change": "10%"}},
        {"split": "1"},
    )
    passed = [str(verdict) for verdict in judge(found, limits) if verdict.is_passed]
    assert passed == ["segment buyers: 1 of 2 members gained and lost (50.0%); at most 10% may be"]
    tighter = judge(found, read_limits({}, {"merged": "66.6%"}))
    assert [v.is_passed for v in tighter] == [True, False]


@pytest.mark.parametrize("text", ["abc", "-1", "1.5", "101%", "%", "nan", "0.005", "1e400%"])
def test_a_limit_that_cannot_be_read_is_refused(text: str) -> None:
    """A mistyped limit must not pass for no limit."""
    with pytest.raises(KindredError, match="--max-merged"):
        parse_limit(text, "--max-merged")


def test_limits_of_the_project_are_checked() -> None:
    """A misspelt name, or a share where only a number makes sense, is an error."""
    with pytest.raises(KindredError, match="megred"):
        read_limits({"identity_diff_limits": {"megred": 1}}, {})
    with pytest.raises(KindredError, match="consent_gained"):
        read_limits({}, {"consent_gained": "1%"})
    with pytest.raises(KindredError, match="mapping"):
        read_limits({"identity_diff_limits": "1%"}, {})


def test_a_candidate_of_settings_starts_at_the_records() -> None:
    """What is tried decides what is rebuilt: a setting of matching needs no staging."""
    assert "+customers" in Change({}).selection
    settings = Change({"identity_cut": {"person": 3}}, start="records").selection
    assert "path:models/intermediate/identity+,+customers" in settings
    assert "+customers" not in settings


def test_decisions_to_try_are_checked(tmp_path: Path) -> None:
    """A steward's file without the needed columns, or with another word, is refused by line."""
    header = "entity,decision,record_id_l,record_id_r,author,reason,valid_from,valid_to\n"
    path = tmp_path / "decisions.csv"
    path.write_text("entity,decision,record_id_l\n", "utf-8")
    with pytest.raises(KindredError, match=r"decisions\.csv: .*lacks the column record_id_r"):
        read_decisions(path)
    path.write_text(header + "person,join,1,2,me,why,,\n", "utf-8")
    with pytest.raises(KindredError, match="line 2"):
        read_decisions(path)
    with pytest.raises(KindredError, match="no file of decisions"):
        read_decisions(tmp_path / "none.csv")
    path.write_text(header + "person,must_link,1,2,me,why,,\n", "utf-8")
    assert [row["record_id_r"] for row in read_decisions(path)] == ["2"]


def test_databases_that_cannot_be_compared_are_named(tmp_path: Path) -> None:
    """Each wrong file is told with what is wrong about it, and what to do."""
    good = State({"a": ["1"]}).write(tmp_path / "good.duckdb")
    with pytest.raises(KindredError, match=r"no database .*none\.duckdb"):
        compare_files(good, tmp_path / "none.duckdb")
    text = tmp_path / "text.duckdb"
    text.write_text("not a database", "utf-8")
    with pytest.raises(KindredError, match=r"text\.duckdb cannot be opened"):
        compare_files(text, good)
    with duckdb.connect(str(tmp_path / "other.duckdb")) as con:
        con.execute("create table t as select 1 as i")
    with pytest.raises(KindredError, match=r"other\.duckdb is not a Kindred database"):
        compare_files(good, tmp_path / "other.duckdb")
    old = State({"a": ["1"]}).write(tmp_path / "old.duckdb")
    with duckdb.connect(str(old)) as con:
        con.execute("alter table kindred.customers drop column can_email")
    with pytest.raises(KindredError, match=r"another version .*no column can_email"):
        compare_files(old, good)
    with pytest.raises(KindredError, match="both good"):
        compare_files(good, good)
    empty = State({"a": ["1"]}).write(tmp_path / "empty.duckdb")
    with duckdb.connect(str(empty)) as con:
        con.execute("delete from kindred.run_history")
    with pytest.raises(KindredError, match="no finished build"):
        compare_files(good, empty)
    told = json.loads(diff_report.as_json(compare_files(good, old_copy(good)), (), ()))
    assert told["is_empty"] is True
    assert told["entities"][0]["unchanged"] == 1


def old_copy(path: Path) -> Path:
    copy = path.with_name("copy.duckdb")
    copy.write_bytes(path.read_bytes())
    return copy

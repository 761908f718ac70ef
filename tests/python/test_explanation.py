"""Explanations: what they say, what the page shows and hides, and what a past run had decided."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

from kindred.cli.identity import command
from kindred.errors import KindredError
from kindred.identity import (
    apart,
    cluster_drawing,
    explanation,
    explanation_page,
    grounds,
    live,
    model_files,
    past,
    wording,
)
from kindred.identity.grounds import Link, SourceRecord
from kindred.identity.link_tree import strongest_tree, way, weakest
from kindred.identity.person import PERSON
from whole_project import WholeProject

HOSTILE = [
    "shop:a:<script>alert(1)</script>",
    "shop:a:\"quoted\" & 'single' </td>",
    "shop:a:\u202egnirts lamron a\u202c \u05d0\u05d1",
    "shop:a:" + "x" * 10_000,
]
EVIDENCE = {"given": 9.26, "family": 4.44, "birth": -3.33, "city": 0.0, "starting_weight": -2.37}
LEVELS = {"given": "same", "family": "one typo or nearly the same", "birth": "different"}


def _warehouse(
    path: Path,
    owners: dict[str, str],
    links: Sequence[tuple[Any, ...]],
    values: dict[str, dict[str, str]] | None = None,
    decisions: Sequence[tuple[str, ...]] = (),
) -> Path:
    """The tables an explanation reads. links: ends, type, rule, weight, its parts, levels."""
    with duckdb.connect(str(path)) as con:
        con.execute("create schema kindred; create schema streams; create schema stewardship")
        for base in ("customer", "account"):
            con.execute(
                f"""
                create table kindred.{base}_source_records ({base}_id text, record_id text,
                    source text, source_object text, source_record_id text,
                    since_generation bigint);
                create table kindred.{base}_id_map ({base}_id text, current_{base}_id text,
                    status text, created_generation bigint, created_at timestamp);
                create table kindred.{base}_id_changes (generation bigint, event text,
                    from_{base}_id text, to_{base}_id text, record_id text, record_count bigint,
                    cause text, occurred_at timestamp);
                """
            )
        con.execute(
            """
            create table kindred.run_history (generation bigint, as_of timestamp);
            insert into kindred.run_history values (1, '2026-06-29'), (2, '2026-06-30');
            create table kindred.identity_links (entity text, record_id_l text, record_id_r text,
                link_type text, rule text, match_weight double, field_weights text,
                field_levels text, model_version text, customer_id text, account_id text);
            create table streams.person_records (record_id text, first_name text, email text);
            create table stewardship.identity_overrides (entity text, decision text,
                record_id_l text, record_id_r text, author text, reason text,
                valid_from timestamp, valid_to timestamp);
            """
        )
        for record, owner in owners.items():
            source, kind, key = record.split(":", 2)
            con.execute(
                "insert into kindred.customer_source_records values (?, ?, ?, ?, ?, 1)",
                [owner, record, source, kind, key],
            )
            con.execute(
                "insert into kindred.customer_id_changes values"
                " (1, 'record_moved', null, ?, ?, 1, 'first seen', '2026-06-29')",
                [owner, record],
            )
        for owner in dict.fromkeys(owners.values()):
            con.execute(
                "insert into kindred.customer_id_map values (?, ?, 'current', 1, '2026-06-29')",
                [owner, owner],
            )
            con.execute(
                "insert into kindred.customer_id_changes values"
                " (1, 'created', null, ?, null, 2, 'new records', '2026-06-29')",
                [owner],
            )
        for left, right, kind, rule, weight, weights, levels in links:
            con.execute(
                "insert into kindred.identity_links values"
                " ('person', ?, ?, ?, ?, ?, ?, ?, 'abc123def456', ?, null)",
                [left, right, kind, rule, weight, weights, levels, owners[left]],
            )
        for record, row in (values or {}).items():
            con.execute(
                "insert into streams.person_records values (?, ?, ?)",
                [record, row.get("first_name"), row.get("email")],
            )
        for decision in decisions:
            con.execute(
                "insert into stewardship.identity_overrides values"
                " ('person', ?, ?, ?, ?, ?, null, null)",
                list(decision),
            )
    return path


def _certain(left: str, right: str) -> tuple[Any, ...]:
    return (left, right, "deterministic", "same user id", None, None, None)


def _weighed(left: str, right: str, weights: dict[str, float] | None = None) -> tuple[Any, ...]:
    parts = weights or EVIDENCE
    total = round(sum(parts.values()), 6)
    return (
        left, right, "probabilistic", "weighed fields", total, json.dumps(parts),
        json.dumps(LEVELS),
    )  # fmt: skip


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    """A chain of three records (certain, then weighed), and a fourth of somebody else."""
    owners = {"crm:a:1": "cus_1", "crm:a:2": "cus_1", "shop:a:3": "cus_1", "shop:a:4": "cus_2"}
    return _warehouse(
        tmp_path / "build.duckdb",
        owners,
        [_certain("crm:a:1", "crm:a:2"), _weighed("crm:a:2", "shop:a:3")],
        {
            "crm:a:1": {"first_name": "Theodora", "email": "theo.dora@example.org"},
            "shop:a:3": {"first_name": "Th3odora"},
        },
        [("must_link", "crm:a:1", "crm:a:2", "Ines Steward", "she said so on the phone")],
    )


def _page(database: Path, names: Sequence[str], path: Path, **options: bool) -> str:
    explanation_page.write(explanation.explain(database, names, **options), path)
    return path.read_text("utf-8")


class _Loaded(HTMLParser):
    """What a browser would load for the page, its script elements, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "srcset", "data", "poster", "action") or (
                name in ("href", "xlink:href") and tag != "a"
            ):
                self.loaded.append(value or "")
            if name == "style" and value and "url(" in value:
                self.loaded.append(value)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_a_page_opens_without_a_network(warehouse: Path, tmp_path: Path) -> None:
    """Whoever opens the file on a train sees all of it: nothing is loaded from anywhere."""
    html = _page(warehouse, ["cus_1"], tmp_path / "why.html")
    assert _Loaded(html).loaded == []
    assert "@import" not in html and "url(" not in html
    assert "//" not in re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)


def test_a_page_can_be_mailed(warehouse: Path, tmp_path: Path) -> None:
    """Nobody's values, and nobody who decided, stand in the file unless that was asked for."""
    private = ["Theodora", "theo.dora@example.org", "Th3odora", "Ines Steward", "on the phone"]
    for names in (["cus_1"], ["crm:a:1", "shop:a:3"], ["crm:a:1", "shop:a:4"]):
        html = _page(warehouse, names, tmp_path / "why.html")
        assert [value for value in private if value in html] == []
    html = _page(warehouse, ["cus_1"], tmp_path / "why.html", with_values=True)
    assert [value for value in private if value not in html] == []
    assert "holds personal values" in html


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    """A source that smuggles markup into its keys or values reaches no reader's browser."""
    owners = dict.fromkeys(HOSTILE, "cus_1")
    values = {record: {"first_name": record * 2} for record in HOSTILE}
    database = _warehouse(
        tmp_path / "build.duckdb",
        owners,
        [_weighed(HOSTILE[0], other) for other in HOSTILE[1:]],
        values,
        [("cannot_link", HOSTILE[0], HOSTILE[3], "<b>me</b>", "<img src=x onerror=alert(1)>")],
    )
    for names in (["cus_1"], [HOSTILE[0], HOSTILE[3]]):
        html = _page(database, names, tmp_path / "why.html", with_values=True)
        page = _Loaded(html)
        assert page.loaded == [] and not {"script", "img"} & set(page.tags)
        assert "<script" not in html and "<img" not in html and "<b>me" not in html
        assert len(html) < 150_000
        assert "&lt;script&gt;" in html and "characters)" in html
        assert "<bdi><code>\u202e" in html or names != ["cus_1"]
        told = explanation.as_text(explanation.explain(database, names))
        assert all(line.isprintable() for line in told)


def test_figures_of_a_waterfall_add_up(warehouse: Path, tmp_path: Path) -> None:
    """Whoever adds up the points shown arrives at the total shown, rounded as they are."""
    html = _page(warehouse, ["cus_1"], tmp_path / "why.html")
    figures = [
        float(text.replace("\u2212", "-"))
        for text in re.findall(r'<div class="figure">([^<]+)</div>', html)
    ]
    assert len(figures) == 5
    assert sum(figures[:-1]) == pytest.approx(figures[-1]) == pytest.approx(8.0)


@pytest.mark.parametrize(
    "values", [[0.24, 0.24, 0.24, 0.24], [-7.17, 11.95, -5.6], [0.05, 0.05, -0.14], [3.0], []]
)
def test_rounded_points_add_up(values: list[float]) -> None:
    """Each figure is at most one step off, and together they are the rounded sum."""
    shown = [float(text.replace("\u2212", "-")) for text in wording.points(values)]
    assert sum(shown) == pytest.approx(round(sum(values), 1), abs=1e-9)
    assert all(abs(s - v) < 0.1 for s, v in zip(shown, values, strict=True))


def test_evidence_is_told_in_words(warehouse: Path) -> None:
    """A steward reads what agrees and how strongly, not a number of a model alone."""
    text = "\n".join(explanation.as_text(explanation.explain(warehouse, ["crm:a:2", "shop:a:3"])))
    assert "the same rare first name: speaks very strongly for it" in text
    assert "last name: one typo or nearly the same: speaks strongly for it" in text
    assert "the birth date differs: speaks clearly against it" in text
    assert "city" not in text


@pytest.mark.parametrize(
    ("weight", "told"),
    [
        (0.1, "as likely the same as not"),
        (1.0, "about 2 to 1 that they are the same"),
        (-3.0, "about 8 to 1 that they are not the same"),
        (13.08, "about 8,700 to 1 that they are the same"),
        (25.0, "more than a million to 1 that they are the same"),
    ],
)
def test_odds_in_words(weight: float, told: str) -> None:
    """A weight reads as a bet."""
    assert wording.odds(weight) == told


def test_a_pair_without_a_link_of_its_own_is_led_from_one_to_the_other(warehouse: Path) -> None:
    """Two records joined by a third are explained by the chain between them."""
    found = explanation.explain(warehouse, ["shop:a:3", "crm:a:1"])
    assert [link.kind for link in found.chain] == ["weighed", "certain"]
    assert "2 links lead from one to the other" in "\n".join(explanation.as_text(found))


def test_a_record_alone_stands_for_its_customer(warehouse: Path) -> None:
    """Whoever knows a record only reads about the customer it belongs to."""
    assert explanation.explain(warehouse, ["shop:a:4"]).groups[0].id == "cus_2"


def test_what_stewards_decided_is_told(warehouse: Path, tmp_path: Path) -> None:
    """A decision in the overrides file is shown beside the records it is about."""
    (decision,) = explanation.explain(warehouse, ["cus_1"]).groups[0].decisions
    assert (decision.decision, decision.is_in_force) == ("must_link", True)
    assert "crm:a:1 and crm:a:2 are one" in _page(warehouse, ["cus_1"], tmp_path / "why.html")


def test_a_decision_that_keeps_apart_is_named(tmp_path: Path) -> None:
    """Whoever asks why two customers are not one reads which decision forbids it."""
    database = _warehouse(
        tmp_path / "build.duckdb",
        {"crm:a:1": "cus_1", "crm:a:2": "cus_1", "shop:a:3": "cus_2"},
        [_certain("crm:a:1", "crm:a:2")],
        decisions=[("cannot_link", "shop:a:3", "crm:a:2", "Ines", "two people")],
    )
    found = explanation.explain(database, ["crm:a:1", "shop:a:3"])
    assert found.apart is not None
    assert "A steward decided that shop:a:3 and crm:a:2 are not one" in found.apart.reasons[0]
    html = _page(database, ["crm:a:1", "shop:a:3"], tmp_path / "why.html")
    assert "A steward decided that shop:a:3 and crm:a:2" in html and "must_link,crm:a:1" in html


def test_a_published_file_says_where_the_weights_are(tmp_path: Path) -> None:
    """Whoever asks a database that holds no compared values is sent to the one that does."""
    database = _warehouse(tmp_path / "b.duckdb", {"crm:a:1": "cus_1", "shop:a:3": "cus_2"}, [])
    found = explanation.explain(database, ["crm:a:1", "shop:a:3"])
    assert found.apart is not None and found.apart.pair is None
    assert "ask the working" in "\n".join(explanation.as_text(found))


def test_the_threshold_shown_is_that_of_the_run(warehouse: Path, tmp_path: Path) -> None:
    """Whoever has set a threshold of their own sees it in the drawing, not the one of Kindred."""
    before = _page(warehouse, ["cus_1"], tmp_path / "before.html")
    assert f"Dashed line: {wording.signed(PERSON.cut)} points" in before
    with duckdb.connect(str(warehouse)) as con:
        con.execute(
            "create schema identity; create table identity.int_person_model as select 3 as cut"
        )
    assert "Dashed line: +3.0 points" in _page(warehouse, ["cus_1"], tmp_path / "after.html")


def test_tables_of_an_earlier_version_are_no_riddle(tmp_path: Path) -> None:
    """Whoever upgrades and asks before the first build is told to build, not shown an error."""
    database = _warehouse(tmp_path / "b.duckdb", {"crm:a:1": "cus_1", "shop:a:3": "cus_2"}, [])
    model = model_files.shipped(PERSON)
    assert model is not None
    kept = model_files.as_table(model, PERSON, "auto", "", -1.0, {"junk_limits": {}})
    current = kept["settings"][0].as_py()
    for content in ("{}", current):
        with duckdb.connect(str(database)) as con:
            con.execute(
                "create schema if not exists identity;"
                "create or replace table identity.int_person_match_records as select 1 as no_id;"
                "create or replace table identity.int_person_model as select 'x' as model_version,"
                " -1.0 as cut, $1 as content, '{}' as policy",
                [content],
            )
        found = explanation.explain(database, ["crm:a:1", "shop:a:3"])
        assert found.apart is not None and "after a build" in found.apart.reasons[0]


def test_live_weights_are_those_of_the_run(built_project: WholeProject) -> None:
    """Whoever reads live weights reads what the run itself weighed: tried on pairs it joined."""
    told = built_project.query(
        "select entity, record_id_l, record_id_r, match_weight, field_weights, field_levels,"
        " model_version from kindred.identity_links where link_type = 'probabilistic'"
        " order by entity, md5(link_id) limit 4"
    )
    assert told
    with duckdb.connect(str(built_project.database), read_only=True) as con:
        for entity, left, right, weight, weights, levels, version in told:
            pair = (str(right), str(left))
            found = live.across(con, str(entity), [pair[0]], [pair[1]], pair)
            assert found is not None and found.best == found.pair
            shown = found.pair
            assert (shown.left, shown.right, shown.weight) == (*pair, weight)
            parts = {part.field: part.weight for part in shown.fields}
            assert parts | {"starting_weight": shown.start} == json.loads(str(weights))
            assert {p.field: p.level for p in shown.fields if p.level} == json.loads(str(levels))
            assert shown.model_version == version


def test_two_customers_are_told_why_they_are_two(
    built_project: WholeProject, tmp_path: Path
) -> None:
    """Whoever asks why two customers are not one reads how they compare, field by field, which of
    their records agree best and the chain by way of these; without any personal value."""
    rows = built_project.query(
        "select record_id_l, record_id_r, customer_id_l, customer_id_r, match_weight"
        " from kindred.identity_review_queue"
        " where reason = 'just below the threshold' and entity = 'person' order by priority"
    )
    one, two, ours, theirs, weight = rows[0]
    found = explanation.explain(built_project.database, [str(one), str(two)])
    assert [group.id for group in found.groups] == [ours, theirs]
    assert found.apart is not None and found.apart.pair is not None
    assert found.apart.pair.weight == weight
    assert found.apart.best is not None and (found.apart.best.weight or 0) >= float(str(weight))
    ends = [link.ends for link in found.apart.chain]
    assert one in ends[0] and two in ends[-1]
    lines = explanation.as_text(found)
    assert any("would be needed" in line for line in lines)
    assert f"    weight {weight:+.2f}: {wording.odds(float(str(weight)))}" in lines
    page = tmp_path / "why.html"
    explanation_page.write(found, page)
    html = page.read_text("utf-8")
    assert wording.signed(float(str(weight))) in html and "not joined" in html
    records = [record.record_id for group in found.groups for record in group.records]
    values = built_project.query(
        "select first_name, last_name, email, phone, street from streams.person_records"
        f" where list_contains({records}, record_id)"
    )
    shown = {str(value) for row in values for value in row if value and len(str(value)) > 3}
    assert shown and [value for value in shown if value in html] == []


def _link(left: str, right: str, weight: float | None = None) -> Link:
    kind: grounds.LinkKind = "certain" if weight is None else "weighed"
    return Link(left, right, kind, "rule", weight)


def _across(weight: float | None, mean: float | None, **more: Any) -> live.Across:
    best = None if weight is None else _link("crm:a:1", "shop:a:3", weight)
    return live.Across(
        pair=_link("crm:a:1", "shop:a:3", -9.0), best=best, pairs=6, mean=mean, cut=-1.0,
        **{"is_proposed": True, "sources": (), **more},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("found", "is_held", "told"),
    [
        (_across(None, None), False, "too little in common to be judged: none of 6 pairs"),
        (_across(-3.0, -5.0), False, "of 6 pairs of records across, the one that speaks for it"),
        (_across(8.0, -5.0), False, "contradict them: over 6 pairs of records across, the mean is"),
        (_across(8.0, 2.0, sources=("crm:a",)), True, "Both hold a record of crm:a"),
        (_across(8.0, 2.0), True, "too large and too loose"),
        (_across(8.0, 2.0, is_proposed=False), False, "never compared"),
        (_across(8.0, 2.0), False, "agrees better with other records"),
    ],
)
def test_each_reason_has_its_sentence(found: live.Across, is_held: bool, told: str) -> None:
    """Whoever reads why two are not one reads the reason that decided."""
    assert told in apart.weighed_reason(found, is_held)


def test_the_weakest_link_is_one_that_all_hangs_on() -> None:
    """A weak link beside a strong way round is not called the weakest."""
    links = [_link("a", "b"), _link("b", "c", 9.0), _link("a", "c", 1.0), _link("c", "d", 3.0)]
    weak = weakest(strongest_tree(links))
    assert weak is not None and weak.ends == {"c", "d"}
    assert weakest(strongest_tree(links[:1])) is None


def test_the_way_takes_the_fewest_and_strongest_links() -> None:
    """A chain is as short as can be; of two links between the same records the stronger is told."""
    links = [_link("a", "b", 2.0), _link("a", "b"), _link("b", "c", 4.0), _link("c", "d", 4.0)]
    links.append(_link("b", "d", 1.0))
    found = way(links, "a", "d")
    assert [sorted(link.ends) for link in found] == [["a", "b"], ["b", "d"]]
    assert found[0].kind == "certain"
    assert way(links, "a", "z") == []


def _records(count: int) -> tuple[SourceRecord, ...]:
    return tuple(
        SourceRecord(f"s{i % 7}:o:{i:04}", f"s{i % 7}", "o", str(i), 1) for i in range(count)
    )


@pytest.mark.parametrize("count", [2, 3, 9, 40, 300])
def test_a_drawing_stays_legible(count: int) -> None:
    """Discs and labels keep apart however many records there are; what is left out is counted."""
    records = _records(count)
    names = [record.record_id for record in records]
    links = [_link(one, two, 5.0) for one, two in pairwise(names)]
    links[0] = _link(names[0], names[1], 0.5)
    part = cluster_drawing.Part("cus_1", records, tuple(links))
    drawing = cluster_drawing.draw([part], {name: i for i, name in enumerate(names, start=1)})
    assert len(drawing.nodes) == min(count, cluster_drawing.MOST_NODES)
    assert (drawing.all_nodes, drawing.all_lines) == (count, count - 1)
    places = [(node.x, node.y) for node in drawing.nodes]
    gaps = [
        ((x - u) ** 2 + (y - v) ** 2) ** 0.5
        for i, (x, y) in enumerate(places)
        for u, v in places[:i]
    ]
    assert min(gaps) > 32
    assert all(0 < node.x < drawing.width and 0 < node.y < drawing.height for node in drawing.nodes)
    (line,) = [line for line in drawing.lines if line.is_weakest]
    assert line.label == "+0.5"


def test_a_large_group_says_what_it_leaves_out(tmp_path: Path) -> None:
    """A page about 450 records tells how many of them it draws and lists."""
    names = [f"crm:a:{i:04}" for i in range(450)]
    database = _warehouse(
        tmp_path / "build.duckdb",
        dict.fromkeys(names, "cus_1"),
        [_weighed(names[0], name) for name in names[1:]],
    )
    html = _page(database, ["cus_1"], tmp_path / "why.html")
    words = " ".join(" ".join(_Loaded(html).words).split())
    assert "Drawn: 40 of 450 records" in words
    assert "The first 400 of 450 records are listed." in words
    assert "448 links; the 40 strongest are shown" in words


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["a", "b", "c"], "Too many names"),
        (["cus_nobody"], "never was"),
        (["crm:a:9", "crm:a:1"], "no live record crm:a:9"),
        (["crm:a:1", "crm:a:1"], "same one"),
        (["--html", "why.pdf"], "does not end in .html"),
        (["--html", "."], "is a folder"),
        (["--with-values"], "--with-values is for a page"),
        (["--as-of-generation", "1"], "asks about nobody"),
        (["--as-of-generation", "9", "crm:a:1"], "no finished run 9"),
        (["--as-of-generation", "1", "crm:a:9"], "No run ever saw"),
        (["--as-of-generation", "1", "--html", "why.html", "crm:a:1"], "present only"),
    ],
)
def test_wrong_questions_are_told_in_words(
    warehouse: Path, arguments: list[str], told: str
) -> None:
    """Whoever asks wrongly reads what is wrong and how to ask, without a stack trace."""
    result = CliRunner().invoke(command, ["explain", *arguments, "--database", str(warehouse)])
    assert isinstance(result.exception, KindredError)
    assert told in result.exception.message and result.exception.hint


def test_the_built_warehouse_is_explained_without_its_values(
    built_project: WholeProject, tmp_path: Path
) -> None:
    """On real tables, too, a page holds no value of any of the records it tells of."""
    page = tmp_path / "why.html"
    found = explanation.explain(built_project.database, [])
    explanation_page.write(found, page)
    html = page.read_text("utf-8")
    rows = built_project.query(
        "select first_name, last_name, full_name, email, phone, street, birth_date"
        " from streams.person_records inner join kindred.customer_source_records using (record_id)"
        f" where customer_id = '{found.groups[0].id}'"
    )
    values = {str(value) for row in rows for value in row if value and len(str(value)) > 3}
    assert len(values) > 5
    assert [value for value in values if value in html] == []


def test_any_past_assignment_can_be_read_back(project_copy: WholeProject) -> None:
    """After four runs, what each published is what the ledger says of it, record by record."""
    changes = [
        # One customer is parted, two become one, a record goes, and comes back elsewhere.
        "set entity = 'parted' where record_id in (select min(record_id) from {table}"
        " where part = 'cluster' group by entity having count(*) = 3 limit 5)",
        "set entity = (select min(entity) from {table} where part = 'cluster')"
        " where entity in (select entity from {table} where part = 'cluster'"
        " group by entity having count(*) = 2 order by entity limit 3)",
        "set part = 'gone' where record_id in (select record_id from {table}"
        " where part = 'cluster' order by record_id desc limit 4)",
    ]
    asked = "select record_id, customer_id from kindred.customer_source_records order by 1"
    published = {1: project_copy.query(asked)}
    table = "identity.int_person_resolution"
    for generation, change in enumerate(changes, start=2):
        where = "" if "part = 'gone'" in change else " and part = 'cluster'"
        project_copy.execute(f"update {table} {change.format(table=table)}{where}")
        project_copy.dbt(
            "run", "--quiet", "--select", "int_run_history_prior", "generation",
            "int_person_clusters", "int_person_id_ledger_prior", "int_person_ids_prior",
            "int_person_known_ids_prior", "int_person_ids", "int_person_id_ledger",
            "customer_id_changes", "customer_id_map", "customer_source_records", "run_history",
        ).expect()  # fmt: skip
        published[generation] = project_copy.query(asked)
    assert len({str(rows) for rows in published.values()}) == 4
    source = (project_copy.root / "analyses/assignments_as_of_a_past_run.sql").read_text("utf-8")
    for generation in published:
        path = project_copy.root / f"analyses/as_of_{generation}.sql"
        path.write_text(source.replace("'customer_id', 1", f"'customer_id', {generation}"))
    project_copy.dbt("compile", "--quiet", "--select", "path:analyses").expect()
    for generation, rows in published.items():
        sql = project_copy.compiled(f"analyses/as_of_{generation}.sql")
        assert [row[:2] for row in project_copy.query(sql)] == rows
        with duckdb.connect(str(project_copy.database), read_only=True) as con:
            told = past.assigned(con, "customer", generation)
        assert [row[:2] for row in told] == rows

"""Runs in batches, kept as a warehouse keeps them, beside full runs on the same records."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity_town import COLUMNS
from kindred.errors import KindredError
from kindred.identity import incremental, settling
from kindred.identity.dbt_model import now_of
from kindred.identity.entity import Entity
from kindred.identity.incremental import Part
from kindred.identity.kept import Kept, pack, unpack
from kindred.identity.person import PERSON
from kindred.identity.pipeline import Asked
from kindred.identity.reference import load_reference
from kindred.identity.resolution import as_one_table

REFERENCE = load_reference()
LIMITS = {"email": 6, "phone": 6, "address": 6}
# The columns of the town, and where a person works.
INPUTS = (*(name for name in COLUMNS if name != "truth"), "full_name", "company_name")
SETTINGS = "settings"
Row = Mapping[str, str | None]


@dataclass(frozen=True)
class World:
    """What a run is given. identifiers: record, type, value. decisions: kind, two records."""

    rows: Mapping[str, Row] = field(default_factory=dict)
    identifiers: frozenset[tuple[str, str, str]] = frozenset()
    decisions: frozenset[tuple[str, str, str]] = frozenset()

    def having(self, *rows: Row) -> World:
        """With records that are new or changed."""
        return replace(self, rows={**self.rows, **{str(row["record_id"]): row for row in rows}})

    def without(self, ids: Iterable[str]) -> World:
        """Without some records; what is said of them stays."""
        gone = set(ids)
        return replace(self, rows={n: row for n, row in self.rows.items() if n not in gone})

    def changed(self, record_id: str, **values: str | None) -> World:
        """With other values in a record."""
        return self.having({**self.rows[record_id], **values})

    def held(self, *identifiers: tuple[str, str, str]) -> World:
        """With more identifiers."""
        return replace(self, identifiers=self.identifiers | set(identifiers))

    def decided(self, *decisions: tuple[str, str, str]) -> World:
        """With more decisions."""
        return replace(self, decisions=self.decisions | set(decisions))

    def given(self, seed: int = 0) -> pa.Table:
        """The records, in any order."""
        rows = list(self.rows.values())
        random.Random(seed).shuffle(rows)
        told = [{name: row.get(name) for name in INPUTS} for row in rows]
        return pa.Table.from_pylist(told, schema=pa.schema([(n, pa.string()) for n in INPUTS]))


def world_of(rows: Iterable[Row]) -> World:
    """A world of records alone."""
    return World().having(*rows)


def _table(names: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> pa.Table:
    told = sorted(rows)
    columns = {name: [row[i] for row in told] for i, name in enumerate(names)}
    return pa.table({n: pa.array(x, pa.string()) for n, x in columns.items()})


@dataclass
class Batches:
    """What run after run leaves behind. The way of macro get_incremental_by_component_sql."""

    model: str
    entity: Entity = PERSON
    cut: float | None = None
    sources: tuple[str, ...] = ()
    largest: int | None = None
    review_limit: int = 500
    limits: Mapping[str, int] = field(default_factory=lambda: dict(LIMITS))
    findings: pa.Table | None = None
    runs: int = 0

    def kept(self) -> Kept | None:
        """What the last run left for this one."""
        if self.findings is None:
            return None
        told = self.findings.filter(pc.equal(self.findings["part"], "kept"))
        return unpack(told, SETTINGS)

    def resolved(self, world: World, kept: Kept | None) -> Part:
        """What a run finds."""
        overrides = _table(("decision", "record_id_l", "record_id_r"), world.decisions)
        names = ("record_id", "identifier_type", "identifier_value")
        self.runs += 1
        identifiers = _table(names, world.identifiers)
        return incremental.resolve(
            now_of(world.given(self.runs), identifiers, self.entity, None),
            self.entity,
            settling.policy_of(
                self.entity.name, overrides, self.sources, self.largest, self.review_limit
            ),
            Asked(self.model, self.cut, keeps=True),
            kept=kept,
            settings=SETTINGS,
            reference=REFERENCE,
            junk_limits=dict(self.limits),
        )

    def run(self, world: World) -> Part:
        """Run after the last run, and put its findings in the place of those it replaces."""
        part = self.resolved(world, self.kept())
        packed = pack(part.kept, part.gone is not None) if part.kept else pa.table({})
        found = as_one_table(part.resolution, part.gone, packed, changes_only=True)
        if self.findings is not None and "all" not in found["part"].to_pylist():
            gone = pc.is_in(self.findings["component"], value_set=found["component"])
            found = pa.concat_tables([self.findings.filter(pc.invert(gone)), found])
        said = pc.is_in(found["part"], value_set=pa.array(["gone", "all"]))
        self.findings = found.filter(pc.invert(said))
        return part

    def check(self, world: World) -> Part:
        """Run, and hold what is there now against a full run: findings, and what is kept."""
        part = self.run(world)
        full = self.resolved(world, None)
        assert full.gone is None
        assert self.findings is not None
        whole = as_one_table(full.resolution, None, pa.table({}))
        for name in ("cluster", "link", "junk", "number", "review", "model"):
            alike(rows_of(self.findings, name), rows_of(whole, name), name)
        kept = self.kept()
        assert (kept is None) == (full.kept is None), part.reason
        if kept is not None and full.kept is not None:
            told, wanted = facts(kept), facts(full.kept)
            for name in wanted:
                alike(told[name], wanted[name], f"kept {name}")
        return part


def rows_of(findings: pa.Table, part: str) -> list[str]:
    """The rows of a part of the findings, in an order of their own."""
    rows = findings.filter(pc.equal(findings["part"], part))
    empty = [name for name in rows.column_names if rows[name].null_count == rows.num_rows]
    return sorted(str(row) for row in rows.drop_columns(empty).to_pylist())


def alike(found: list[str], wanted: list[str], name: str) -> None:
    """Fail with the rows that differ, and not with all."""
    if found != wanted:
        more = sorted(set(found) - set(wanted))
        less = sorted(set(wanted) - set(found))
        lines = [f"{name}: {len(found)} rows, not {len(wanted)}"]
        lines += [f"  found:  {row[:400]}" for row in more[:5]]
        lines += [f"  wanted: {row[:400]}" for row in less[:5]]
        raise AssertionError("\n".join(lines))


def facts(kept: Kept) -> dict[str, list[str]]:
    """What is kept, wherever its rows stand and whatever is there of records that are gone."""
    live = np.flatnonzero(kept.rows.live)
    told = kept.rows.told.take(pa.array(live)).to_pylist()
    arrays = [
        getattr(kept.rows, name)[live].tolist()
        for name in ("row", "content", "node", "component", "junk")
    ]
    names = kept.rows.told["record_id"].to_pylist()
    held = zip(
        kept.identifiers["place"].to_pylist(), kept.identifiers["value"].to_pylist(), strict=True
    )
    plain = (
        "size", "candidates", "every", "first_cut", "cut", "model", "choice", "filled",
        "decisions", "rules", "totals",
    )  # fmt: skip
    found = {name: [str(getattr(kept, name))] for name in plain}
    found["rows"] = sorted(str(row) for row in zip(told, *arrays, strict=True))
    found["identifiers"] = sorted(str((names[place], value)) for place, value in held)
    found["crowded"] = sorted(str(value) for value in kept.crowded.tolist())
    for name in ("shared", "decided_junk", "components", "clusters", "review"):
        found[name] = sorted(str(row) for row in getattr(kept, name).to_pylist())
    for name in ("sample", "strangers"):
        found[name] = sorted(
            str((min(row["left"], row["right"]), max(row["left"], row["right"]), row["code"],
                 row["named"]))
            for row in getattr(kept, name).to_pylist()
        )  # fmt: skip
    return found


def town_of(rows: Iterable[Row]) -> World:
    """A world in which every field is filled, as those that matching is about are: some work for a
    company, and half the record ids are those of a system of its own."""
    told = []
    for i, row in enumerate(rows):
        name = f"{'crm' if i % 2 else 'shop'}:{row['record_id']}"
        works = f"Firma Werk {i % 40}" if i % 3 == 0 else None
        told.append({**row, "record_id": name, "company_name": works})
    return world_of(told)


class Life:
    """What happens to a world, at random: `live` gives the next one."""

    def __init__(self, whole: World, seed: int) -> None:
        self.whole, self.rng = whole, random.Random(seed)
        self.happened: list[str] = []

    def live(self, world: World, times: int) -> World:
        """The world after so many things have happened to it."""
        ways = [getattr(self, name) for name in sorted(vars(Life)) if name.startswith("do_")]
        self.happened = []
        for _ in range(times):
            way = self.rng.choice(ways)
            self.happened.append(way.__name__)
            world = way(world)
        return world

    def some(self, world: World, most: int) -> list[str]:
        """A few of the records, most of them of people who stand side by side."""
        names = sorted(world.rows)
        count = min(self.rng.randint(1, most), len(names))
        if self.rng.random() < 0.5:
            start = self.rng.randrange(len(names))
            return [names[(start + i) % len(names)] for i in range(count)]
        return self.rng.sample(names, count)

    def do_come(self, world: World) -> World:
        names = sorted(set(self.whole.rows) - set(world.rows))
        chosen = self.rng.sample(names, min(len(names), self.rng.randint(1, 6)))
        return world.having(*(self.whole.rows[name] for name in chosen))

    def do_go(self, world: World) -> World:
        return world.without(self.some(world, 4))

    def do_change(self, world: World) -> World:
        for name in self.some(world, 3):
            changed = self.rng.choice(INPUTS[1:-2])
            other = self.rng.choice(list(self.whole.rows.values())).get(changed)
            world = world.changed(name, **{changed: self.rng.choice([None, "", "Neu", other])})
        return world

    def do_correct(self, world: World) -> World:
        names = [name for name in self.some(world, 20) if name in self.whole.rows]
        return world.having(*(self.whole.rows[name] for name in names))

    def do_double(self, world: World) -> World:
        """Some records repeat others, under names that come before or after these."""
        name = f"{self.rng.choice(('crm', 'shop'))}:{self.rng.choice('0z')}{{}}"
        rows = [world.rows[n] for n in self.some(world, 4)]
        return world.having(*({**r, "record_id": name.format(r["record_id"])} for r in rows))

    def do_swap(self, world: World) -> World:
        one, two = self.rng.sample(sorted(world.rows), 2)
        return world.having(
            {**world.rows[one], "record_id": two}, {**world.rows[two], "record_id": one}
        )

    def do_identify(self, world: World) -> World:
        kind, value = self.rng.choice(("user_id", "card")), str(self.rng.randint(1, 9))
        return world.held(*((name, kind, value) for name in self.some(world, 3)))

    def do_forget(self, world: World) -> World:
        told = sorted(world.identifiers)
        chosen = self.rng.sample(told, min(len(told), self.rng.randint(1, 3)))
        return replace(world, identifiers=world.identifiers - set(chosen))

    def do_hand_on(self, world: World) -> World:
        """An identifier changes hands."""
        told = sorted(world.identifiers)
        if not told:
            return world
        one = self.rng.choice(told)
        other = (self.rng.choice(sorted(world.rows)), *one[1:])
        return replace(world, identifiers=world.identifiers - {one} | {other})

    def do_decide(self, world: World) -> World:
        """A steward decides, sometimes on a record that is not there."""
        kind = self.rng.choice(("must_link", "cannot_link"))
        names = sorted(self.whole.rows)
        place = self.rng.randrange(len(names) - 2)
        near = (names[place], names[place + self.rng.choice((1, 2))])
        pair = near if self.rng.random() < 0.7 else tuple(self.rng.sample(names, 2))
        asked = world.decided((kind, pair[0], pair[1]))
        columns = ("decision", "record_id_l", "record_id_r")
        try:
            settling.policy_of("person", _table(columns, asked.decisions), (), None, 1)
        except KindredError:
            return world
        return asked

    def do_take_back(self, world: World) -> World:
        told = sorted(world.decisions)
        chosen = self.rng.sample(told, min(len(told), self.rng.randint(1, 3)))
        return replace(world, decisions=world.decisions - set(chosen))

    def do_share(self, world: World) -> World:
        """Many give one mailbox, telephone or address, which may become junk."""
        shared: Row = self.rng.choice((
            {"email": "verein@alle.org"},
            {"phone": "+4955512345"},
            {"street": "Postfach 1", "postcode": "10000"},
            {"birth_date": "1970-01-01"},
        ))  # fmt: skip
        for name in self.some(world, 9):
            world = world.changed(name, **shared)
        return world

    def do_name(self, world: World) -> World:
        """A first name becomes common, or is mistyped."""
        given = self.rng.choice(("Kasimira", "Kasimyra", "Brunhild"))
        for name in self.some(world, 5):
            world = world.changed(name, first_name=given)
        return world

    def do_company(self, world: World) -> World:
        """A company stands where a person's name is, or others work there."""
        company = f"Nordklippe {self.rng.choice(('Werke', 'Stahl', 'GmbH'))}"
        for name in self.some(world, 3):
            first, last = company.split(" ")
            told: Row = self.rng.choice((
                {"company_name": company},
                {"first_name": first, "last_name": last, "company_name": None},
                {"first_name": None, "last_name": company},
                {"full_name": company, "first_name": None, "last_name": None},
            ))  # fmt: skip
            world = world.changed(name, **told)
        return world

    def do_empty(self, world: World) -> World:
        """Records of which nothing is known, or next to nothing."""
        bare: Row = self.rng.choice(({}, {"first_name": "-"}, {"city": "Bonn"}, {"email": "x@"}))
        number = self.rng.randint(1, 5)
        return world.having({"record_id": f"shop:bare{number}", **bare})

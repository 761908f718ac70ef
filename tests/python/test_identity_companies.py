"""What the matching of companies reads from a name and a domain, and what it takes as evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
from cleanco import termdata

from kindred.identity import learning, metrics, mixture, model_files, records, training
from kindred.identity.account import ACCOUNT
from kindred.identity.entity import Comparison, PairKind
from kindred.identity.pipeline import resolve
from kindred.identity.reference import load_reference
from whole_project import shared_data


def _read(**columns: str | None) -> dict[str, Any]:
    """The match fields of one company."""
    given = {"record_id": "crm:company:1", **columns}
    table = pa.table({name: pa.array([value], pa.string()) for name, value in given.items()})
    with records.connect() as con:
        records.prepare(con, table, ACCOUNT, load_reference())
        return dict(con.execute("select * from prepared").to_arrow_table().to_pylist()[0])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Nordklippe GmbH", "Nordklippe Limited"),
        ("Nordklippe AG", "NORDKLIPPE S.A."),
        ("Nordklippe Sp. z o.o.", "Nordklippe B.V."),
        ("Mueller & Soehne KG", "Mueller und Soehne OHG"),
        ("Nordklippe Intl Inc.", "Nordklippe International Corporation"),
        ("Céleste Énergie SAS", "Celeste Energie SARL"),
    ],
)
def test_legal_forms_spelling_and_short_words_do_not_tell_companies_apart(
    one: str, other: str
) -> None:
    """Names that mean the same company are read alike, for whoever imports from two systems."""
    assert _read(name=one)["name"] == _read(name=other)["name"]


def test_another_company_is_read_otherwise() -> None:
    """A name is not emptied of what tells it apart."""
    assert _read(name="Nordklippe GmbH")["name"] != _read(name="Suedklippe GmbH")["name"]
    assert _read(name="Limited")["name"] is not None


@pytest.mark.parametrize(
    ("given", "domain"),
    [
        ("shop.nordklippe.co.uk", "nordklippe.co.uk"),
        ("https://www.nordklippe.de/kontakt", "nordklippe.de"),
        ("nordklippe.blogspot.com", None),
        ("nordklippe.github.io", None),
        ("gmail.com", None),
        ("localhost", None),
    ],
)
def test_only_a_domain_of_its_own_is_evidence(given: str, domain: str | None) -> None:
    """Hosts that many companies share, and mail providers, link nobody."""
    assert _read(name="Nordklippe", domain=given)["domain"] == domain


def test_a_place_in_the_name_is_no_part_of_the_company() -> None:
    """National sisters share a base, and their country tells them apart."""
    german, french = _read(name="Nordklippe Germany GmbH"), _read(name="Nordklippe France SAS")
    assert german["base"] == french["base"]
    assert (german["country"], french["country"]) == ("DE", "FR")


HOUSE = {
    "domain": "nordklippe.net", "street": "Hafenkai 4", "city": "Klippen", "postcode": "47530",
}  # fmt: skip


def _groups(*rows: dict[str, str], model: str = "shipped") -> tuple[set[frozenset[int]], str]:
    """Which of these companies (by place) are one, and which model said so."""
    names = sorted({"record_id", *(name for row in rows for name in row)})
    filled = [{"record_id": f"crm:company:{i}", **row} for i, row in enumerate(rows)]
    schema = pa.schema([(name, pa.string()) for name in names])
    found = resolve(pa.Table.from_pylist(filled, schema=schema), ACCOUNT, model=model)
    members: dict[str, set[int]] = {}
    for row in found.assignments.to_pylist():
        members.setdefault(row["entity"], set()).add(int(row["record_id"].rsplit(":", 1)[1]))
    return {frozenset(one) for one in members.values()}, found.model_choice


def _among_others(*rows: dict[str, str], model: str = "shipped") -> set[frozenset[int]]:
    """The same, among companies that have nothing to do with them."""
    words = [f"{a}{b}" for a in ("Alba", "Bora", "Ceda", "Dora") for b in ("gren", "lund", "vik")]
    others = [
        {
            "name": f"{word} Werke", "domain": f"{word}.de", "street": f"{word}weg {i}",
            "city": word, "postcode": f"{10000 + 717 * i}",
        }
        for i, word in enumerate(words)
    ]  # fmt: skip
    found, _ = _groups(*rows, *others, model=model)
    return {frozenset(i for i in one if i < len(rows)) for one in found} - {frozenset()}


def test_a_registration_number_is_weighed_by_the_shipped_model() -> None:
    """Who fills registration numbers gets the shipped model too, and so does who fills none."""
    shipped = _shipped()
    fill = {name: share for name, share in shipped.about["fill"].items() if name != "registration"}
    filled = {**fill, "registration": 0.3}
    optional = frozenset({"registration"})
    bare = [name for name in shipped.fields if name != "registration"]
    assert model_files.other_records(shipped, shipped.fields, filled, optional) == ""
    assert model_files.other_records(shipped, bare, fill, optional) == ""
    assert "registration" in model_files.other_records(shipped, bare, fill)
    without_phone = [name for name in shipped.fields if name != "phone"]
    assert "phone" in model_files.other_records(shipped, without_phone, fill, optional)


def test_a_model_trained_without_registration_numbers_weighs_them_by_the_settings() -> None:
    """A model of one's own still fits when the first registration numbers come in."""
    bare = mixture.of_fields(_shipped(), tuple(f for f in _shipped().fields if f != "registration"))
    whole = training.with_optional(bare, ACCOUNT)
    place = whole.fields.index("registration")
    assert whole.fields == _shipped().fields
    weights = np.log2(whole.m[place] / whole.u[place])
    assert weights[-1] > 15 > weights[-2] > 5
    assert weights[0] < -12


def _shipped() -> mixture.Model:
    found = model_files.shipped(ACCOUNT)
    assert found is not None
    return found


@pytest.mark.parametrize("model", ["shipped", "train"])
@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("HRB 520001", "HRB 947733", False),
        ("HRB 520001", "HRB 520002", False),
        ("HRB 520001", "DE 811193231", True),
        ("HRB 520001", "520001", True),
        ("SC 012345", "SC12345", True),
    ],
)
def test_entries_of_one_register_tell_companies_apart(
    one: str, other: str, same: bool, model: str
) -> None:
    """Two numbers of one register are two companies; numbers of two registers say nothing."""
    house = {**HOUSE, "name": "Nordklippe Holding", "phone": "+49309985103"}
    found = _among_others(
        {**house, "registration_number": one},
        {**house, "registration_number": other, "phone": "+49309985104"},
        model=model,
    )
    assert (frozenset({0, 1}) in found) is same


def test_kin_never_agree_as_often_as_the_same() -> None:
    """With few records to learn from, companies of one group are not taken for the same ones."""
    comparison = next(c for c in ACCOUNT.comparisons if c.field == "phone")
    levels = np.array([[2], [0]], dtype=np.int8)
    kin = PairKind("kin", ("phone",), 0.05, akin=0.5)
    same = PairKind("same", (), 0.5)
    u = [np.array([0.99, 0.005, 0.005])]
    found = learning.learn((comparison,), (same,), (kin,), 100, u, levels, np.array([900.0, 900.0]))
    assert found.shared["kin"]["phone"][-1] <= 0.5 * found.m[0][-1] + 1e-9
    free = replace(kin, akin=1.0)
    found = learning.learn(
        (comparison,), (same,), (free,), 100, u, levels, np.array([900.0, 900.0])
    )
    assert found.shared["kin"]["phone"][-1] > 0.5 * found.m[0][-1]


def test_a_part_of_a_directory_is_matched_as_well_as_the_whole() -> None:
    """An organisation with a few hundred records is served as well as one with thousands."""
    data = shared_data()
    if data is None:
        pytest.skip("no folder of labelled sets on this machine")
    rows = pacsv.read_csv(
        data / "identity" / "dedupe_csv_example" / "csv_example_input_with_true_ids.csv",
        parse_options=pacsv.ParseOptions(newlines_in_values=True),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(("Id", "True Id", "Zip", "Phone"), pa.string()),
            include_columns=["Id", "True Id", "Site name", "Address", "Zip", "Phone"],
            strings_can_be_null=True,
        ),
    ).rename_columns(["record_id", "entity", "name", "street", "postcode", "phone"])
    chosen = np.random.default_rng(0).choice(rows.num_rows, rows.num_rows // 5, replace=False)
    rows = rows.take(pa.array(np.sort(chosen)))
    found = resolve(rows.drop_columns(["entity"]), ACCOUNT, with_links=False)
    assert metrics.evaluate(found.assignments, rows).as_dict()["bcubed"]["f1"] > 0.95


# Forms of cleanco that are left: none is known as one, or it is a word of many languages.
_LEFT = {"stg", "psu", "pse", "ent.", "3ao", "3at", "at", "aj", "uk", "qk", "sm pte ltd."}


def test_legal_forms_of_the_world_are_known() -> None:
    """A name and the same with its country's legal form are one, wherever the company sits."""
    of_country = {c: forms for c, forms in termdata.terms_by_country.items() if "Czech" not in c}
    forms = sorted({form for some in of_country.values() for form in some} - _LEFT)
    found = _read_all([f"Nordklippe {form}" for form in forms])
    assert [f for f, name in zip(forms, found, strict=True) if name != "nordklippe"] == []
    assert len(forms) > 250


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("Gesellschaft für Nordklippe mbH", "fur nordklippe"),
        ("Nordklippe Gesellschaft mit beschränkter Haftung", "nordklippe"),
        ("株式会社ノルト", "ノルト"),
        ("ノルト有限会社", "ノルト"),
        ("OOO Nordklippe", "nordklippe"),
        ("\u041e\u041e\u041e Нордклиппе", "nordklippe"),
        ("PT Nordklippe Tbk", "nordklippe"),
        ("Nordklippe spol. s r.o.", "nordklippe"),
        ("Nordklippe S. de R.L. de C.V.", "nordklippe"),
        ("Pa and Sons", "pa sons"),
        ("Da Vinci Ltd", "da vinci"),
        ("Sal Y Mar SA", "sal mar"),
        ("Limited", "limited"),
    ],
)
def test_a_form_is_read_where_forms_stand(name: str, read: str) -> None:
    """Short forms that are words elsewhere stay in the name unless they end it."""
    assert _read_all([name]) == [read]


def _read_all(names: list[str]) -> list[str]:
    """What is compared of these names."""
    table = pa.table({"record_id": [f"{i:04}" for i in range(len(names))], "name": names})
    with records.connect() as con:
        records.prepare(con, table, ACCOUNT, load_reference())
        rows = con.execute("select name from prepared order by record_id").fetchall()
    return [row[0] for row in rows]


def test_names_of_one_company_have_something_in_common() -> None:
    """Where most records hold a name alone, there are more pairs of companies of one town than of
    the same company; learning must not take the former for the latter."""
    fields = ("name", "postcode", "city", "country")
    patterns = {
        ("same", None, None, None): 950,
        ("same", None, None, "same"): 300,
        ("different", "same area", "same", "same"): 4000,
        ("different", "different", "different", "different"): 20000,
    }

    def with_nothing_in_common(comparisons: tuple[Comparison, ...]) -> float:
        """The share of matches whose names are outright different, as learned."""
        places = [[level.name for level in reversed(c.levels)] for c in comparisons]
        levels = np.array(
            [
                [-1 if name is None else places[i].index(name) for i, name in enumerate(row)]
                for row in patterns
            ],
            dtype=np.int8,
        )
        u = [np.array([0.99, *(0.01 / len(p[1:]),) * len(p[1:])]) for p in places]
        counts = np.array(list(patterns.values()), dtype=float)
        model = learning.learn(comparisons, ACCOUNT.matches, (), 2490, u, levels, counts)
        return float(model.m[0][0])

    kept = tuple(c for c in ACCOUNT.comparisons if c.field in fields)
    free = replace(kept[0], levels=tuple(replace(one, most=1.0) for one in kept[0].levels))
    assert with_nothing_in_common(kept) <= 0.2
    assert with_nothing_in_common((free, *kept[1:])) > 0.5

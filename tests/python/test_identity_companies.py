"""What the matching of companies reads from a name and a domain, and what it takes as evidence."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from kindred.identity import records
from kindred.identity.account import ACCOUNT
from kindred.identity.reference import load_reference


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

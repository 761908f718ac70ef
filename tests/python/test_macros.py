"""Macros against lists of values: what goes in, what must come out.

One dbt call for each engine compiles every macro into a query on a table `given`; the queries then
run there. Each test holds on both engines.
"""

from __future__ import annotations

import csv
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import phonenumbers
import pytest

from macro_queries import ENGINES, EXPRESSIONS, Ask, ask_duckdb, ask_postgres, call_dbt
from postgres_server import PostgresDatabase
from whole_project import REPOSITORY


@pytest.fixture(params=ENGINES)
def ask(request: pytest.FixtureRequest, macros_project: Path) -> Ask:
    """A function: name of a query and values (or pairs of values) -> results in the same order."""
    if request.param == "postgres":
        return ask_postgres(*request.getfixturevalue("asked_postgres"))

    return ask_duckdb(macros_project)


def holds(ask: Ask, name: str, cases: dict[Any, Any]) -> None:
    """Each value of `cases` gives what stands beside it."""
    given = dict(zip(cases, ask(name, cases), strict=True))
    assert given == cases


def oracle(written: str, country: str | None) -> str | None:
    """E.164 by the phonenumbers library, or None where the number cannot exist."""
    try:
        number = phonenumbers.parse(written, country or "US")
    except phonenumbers.NumberParseException:
        return None
    # A number that can be dialled within its town only is none that an organisation can use.
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def golden_phones() -> list[tuple[str, str | None]]:
    """Numbers as people write them, each with the country of its record."""
    with (REPOSITORY / "tests/macros/phones.csv").open(newline="", encoding="utf-8") as stream:
        return [(row["written"], row["country"] or None) for row in csv.DictReader(stream)]


# Written alike in every place: no number, whatever the library makes of it.
NO_NUMBER = {"00000000", "0000000000", "9999999999", "1111111"}


def test_phones_as_people_write_them(ask: Ask) -> None:
    """A number matches itself in whatever way, and from whatever country, it was typed."""
    cases = golden_phones()
    assert len(cases) > 60
    wanted = [None if case[0] in NO_NUMBER else oracle(*case) for case in cases]
    found = ask("to_phone", cases)
    wrong = [(c, w, f) for c, w, f in zip(cases, wanted, found, strict=True) if w != f]
    assert not wrong


# A mobile number is written nationally with digits that its international form has not (15 for 9).
UNLIKE_AT_HOME = {"AR"}


def test_phones_of_every_country(ask: Ask, macros_project: Path) -> None:
    """Fixed and mobile numbers of each country that Kindred knows, in three notations."""
    text = (REPOSITORY / "macros/standardise/countries.sql").read_text()
    countries = [part[:2] for part in text.split("{'code': '")[1:]]
    assert len(countries) > 60
    formats = phonenumbers.PhoneNumberFormat
    cases: list[tuple[str, str]] = []
    wanted: list[str] = []
    for country in countries:
        for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE):
            number = phonenumbers.example_number_for_type(country, kind)
            for notation in (formats.E164, formats.INTERNATIONAL, formats.NATIONAL):
                if number is None or (notation == formats.NATIONAL and country in UNLIKE_AT_HOME):
                    continue
                cases.append((phonenumbers.format_number(number, notation), country))
                wanted.append(phonenumbers.format_number(number, formats.E164))
    found = ask("to_phone", cases)
    wrong = [(c, w, f) for c, w, f in zip(cases, wanted, found, strict=True) if w != f]
    assert not wrong


def test_phone_without_country(ask: Ask) -> None:
    """Where a record has no country, the var default_country says how to read its number."""
    holds(ask, "to_phone_at_home", {"(212) 555-0123": "+12125550123", "030 901820": None})


def test_to_text(ask: Ask) -> None:
    """What only says that there is nothing is nothing."""
    cases = {" x ": "x", "": None, "  ": None, "NULL": None, "n/a": None, "-": None, None: None}
    holds(ask, "to_text", cases | {"N/A ": None, "Nan": None, "Nana": "Nana", "0": "0"})


def test_to_name(ask: Ask) -> None:
    """Blanks are folded, letters stay as typed."""
    holds(ask, "to_name", {"  Ann   van\tLee ": "Ann van Lee", "O'Brien": "O'Brien", " ": None})


def test_to_email(ask: Ask) -> None:
    """One mailbox is one text; what no mail can reach is null."""
    good = {
        " Ann@Example.COM ": "ann@example.com",
        "mailto:ann@example.com": "ann@example.com",
        "ann.lee+news@mail.example.co.uk": "ann.lee+news@mail.example.co.uk",
        "o'brien@example.com": "o'brien@example.com",
        "a_b-c@example-site.org": "a_b-c@example-site.org",
        "x@example.museum": "x@example.museum",
        f"ann@example.{'x' * 63}": f"ann@example.{'x' * 63}",
    }
    bad = [
        "not an email", "ann@",
        "@example.com", "ann@example", "ann@@example.com", "a b@example.com",
        "ann..lee@example.com", ".ann@example.com", "ann.@example.com", "ann@-example.com",
        "ann@example..com", "ann@example.c", "n/a", "", None, "ann@example.com, bo@example.com",
        f"{'a' * 250}@example.com", f"ann@example.{'x' * 64}", f"Ann@example.{'x' * 64}",
    ]  # fmt: skip
    holds(ask, "to_email", good | dict.fromkeys(bad))


def test_to_country_code(ask: Ask) -> None:
    """Codes and names in the languages people use give the ISO code."""
    cases = {
        "US": "US", "us ": "US", "USA": "US", "United States": "US", "UK": "GB", "England": "GB",
        "Deutschland": "DE", "DEU": "DE", "Österreich": "AT", "España": "ES", "Côte": None,
        "FR": "FR", "Nederland": "NL", "": None, None: None, "Narnia": None, "1": None,
        "Việt Nam": "VN", "GR\u0c4b": None, "y\u093as": None, "Deutschland\u1a65": None,
        "n\ufb1el": None, "\u2dece\u0073": None,
    }  # fmt: skip
    holds(ask, "to_country_code", cases)


def test_to_timestamp(ask: Ask) -> None:
    """Moments are in UTC, however they were written."""
    noon = datetime(2026, 1, 2, 12, 0)
    cases = {
        "2026-01-02 12:00:00": noon, "2026-01-02T12:00:00Z": noon,
        "2026-01-02T13:00:00+01:00": noon,
        "2026-01-02T07:00:00-05:00": noon, "2026-01-02T12:00:00.000Z": noon,
        "2026-01-02 12:00:00 UTC": noon, "2026-01-02": datetime(2026, 1, 2), "1767355200": noon,
        "1767355200000": noon, "1767355200.5": datetime(2026, 1, 2, 12, 0, 0, 500000),
        "2026-01-02 12:00:00+00": noon, "yesterday": None, "2026-02-30 10:00:00": None, "": None,
        None: None, "0000-00-00": None,
        # A day, a time and an offset have one form each, with and without seconds.
        "2026-01-02T13:00+01:00": noon, "2026-01-02  12:00:00": None,
        "2026-01-2  12:00:00": None, "2026-01-02 012:00:00Z": None, "2024-02/29": None,
        "2026-06-030T7:00:00.123Z": None,
        "2026-01-02T12:00:00+31:00": None, "2026-01-02T12:00:00+01:90": None,
        "2026-01-02 12:00:00.5 Z": datetime(2026, 1, 2, 12, 0, 0, 500000),
        "2026-01-01T24:00:00Z": datetime(2026, 1, 2), "2026-01-02T24:00:00.5Z": None,
        "2026-01-02T11:59:60Z": None, "2026-01-02T17:30:00+05:30": noon,
        "2026-01-02T12:00:00.000+0000": noon, "2026-01-02 11:59:60+00:00": None,
        "2026-01-02T12:00:000Z": None, "2026-01-02 12:00:0.": None, "2026-01-02 \t2:00:00": None,
        "2026-01-02 07:00:00-05": noon,
        "2026-07-02 08:00:00-04": datetime(2026, 7, 2, 12),
        "2026-01-02 12:00:00+00 BC": None, "2026-01-02 12:00:00 BC": None, "infinity": None,
        "8767355200123": datetime(2247, 10, 30, 0, 26, 40, 123000),
        "9999999999.123456": datetime(2286, 11, 20, 17, 46, 39, 123456),
    }  # fmt: skip
    holds(ask, "to_timestamp", cases)


def test_to_date(ask: Ask) -> None:
    """Only dates that exist and cannot be read in two ways."""
    day = date(1980, 3, 4)
    cases = {
        "1980-03-04": day, "1980-03-04 00:00:00": day, "1980-03-04T10:00:00Z": day, "19800304": day,
        "1980-3-4": day, "1980-02-30": None, "1980-13-01": None, "04/03/1980": None,
        "03/04/1980": None, "born in may": None, "": None, None: None,
        "2000-02-29": date(2000, 2, 29),
        "1900-02-29": None, "1980-03-04T12:\n00": day, "1980-03-04\n": None,
    }  # fmt: skip
    holds(ask, "to_date", cases)


def test_to_birth_date(ask: Ask) -> None:
    """Nobody is born before 1900-01-02 or after the moment the build speaks of."""
    cases = {
        "1980-03-04": date(1980, 3, 4), "1900-01-01": None, "2026-06-30": date(2026, 6, 30),
        "2026-07-01": None, "1850-01-01": None,
    }  # fmt: skip
    holds(ask, "to_birth_date", cases)


def test_numbers(ask: Ask) -> None:
    """Numbers are read with the signs people put around them, never half."""
    cases = {
        "12": Decimal("12"), "1,234.50": Decimal("1234.5"), "$ 1,234.50": Decimal("1234.5"),
        "€12.5": Decimal("12.5"), "-3": Decimal("-3"), "1e3": Decimal("1000"), "twelve": None,
        "1.2.3": None, "": None, None: None, "nan": None, "inf": None, "1_000": None, "0x10": None,
        # An exponent has two digits, and nothing behind it.
        "1e10": Decimal("10000000000"), "1e20": Decimal(10**20), "1e020": Decimal(10**20),
        "1e22": None, "1e100": None, "0e33": Decimal("0"), ".1e3": Decimal("100"),
        "$ 1e13": Decimal(10**13), "1e-7": Decimal("0"), "93e-10": Decimal("0"),
        "5.684341886080802e-14": Decimal("0"), "5e-7": Decimal("0.000001"),
        "1e-99": Decimal("0"), "1e-100": None, "1e0.": None, "1e-\r": None, "-\n": None, "+ ": None,
        "1e-00 4930": None, f"{'1' * 23}e-9": None, " 7\t": Decimal("7"),
    }  # fmt: skip
    holds(ask, "to_number", cases)
    holds(ask, "integer_of", {"12": 12, "12.0": 12, "12.5": None, "-1": -1, "x": None})
    amounts = {"1.005": Decimal("1.01"), "2": Decimal("2.00"), "x": None, "-1.5": Decimal("-1.50")}
    holds(ask, "to_amount", amounts)


def test_from_minor_units(ask: Ask) -> None:
    """Cents are divided by a hundred, yen are not."""
    cases = {
        ("1999", "usd"): Decimal("19.99"), ("1999", "JPY"): Decimal("1999.00"),
        ("1999", None): Decimal("19.99"), ("much", "eur"): None, ("100.5", "usd"): Decimal("1.01"),
    }  # fmt: skip
    holds(ask, "from_minor_units", cases)


def test_to_boolean(ask: Ask) -> None:
    """Yes and no in the ways systems write them; anything else is neither."""
    yes = ["true", "TRUE", " t ", "yes", "1", "1.0", "on", "Y"]
    no = ["false", "f", "No", "0", "off", "0.0"]
    cases = (
        dict.fromkeys(yes, True) | dict.fromkeys(no, False) | {"maybe": None, "2": None, "": None}
    )
    holds(ask, "to_boolean", cases | {None: None})


def test_to_postcode(ask: Ask) -> None:
    """A postcode is a text: its leading zeros stay."""
    holds(
        ask,
        "to_postcode",
        {
            " sw1a  1aa ": "SW1A 1AA",
            "01067": "01067",
            "": None,
            "n/a": None,
            "Fuß": "FUẞ",
            "ƛ\U00010d85": "\ua7dc\U00010d65",
        },
    )


def test_to_domain(ask: Ask) -> None:
    """A company's web address and its emails give the same host."""
    cases = {
        "https://www.Example.com/about?x=1": "example.com", "example.com": "example.com",
        "ann@example.com": "example.com", "http://shop.example.co.uk:8080": "shop.example.co.uk",
        "www2.example.org": "example.org", "https://user@example.com/": "example.com",
        "localhost": None, "not a domain": None, "": None, None: None, "example.com.": None,
        "https://www.example.com:80/one\ntwo": "example.com", "ann@example.com#\nx": "example.com",
    }  # fmt: skip
    holds(ask, "to_domain", cases)


NAMES = {
    "Ann Lee": ("Ann", "Lee"),
    "Lee, Ann": ("Ann", "Lee"),
    "Dr. Ann van Lee": ("Ann", "van Lee"),
    "Ann Marie Lee": ("Ann Marie", "Lee"),
    "Ludwig van der Rohe": ("Ludwig", "van der Rohe"),
    "María de la Cruz": ("María", "de la Cruz"),
    "Mrs Ann Lee": ("Ann", "Lee"),
    "  Ann   Lee ": ("Ann", "Lee"),
    "Madonna": (None, "Madonna"),
    "Jean-Luc O'Neill": ("Jean-Luc", "O'Neill"),
    "Lee,": (None, "Lee"),
    "": (None, None),
    None: (None, None),
}


def test_names_in_one_field(ask: Ask) -> None:
    """First and last name are told apart where a system has one field for both."""
    holds(ask, "first_name_of", {name: parts[0] for name, parts in NAMES.items()})
    holds(ask, "last_name_of", {name: parts[1] for name, parts in NAMES.items()})


def test_surrogate_keys_never_meet(ask: Ask) -> None:
    """Different values give different keys, also where separators and nulls could hide it."""
    pairs = [
        ("a", "b"), ("a|b", ""), ("", "a|b"), ("a", None), (None, "a"), (None, None), ("", ""),
        ("", None), ("ab", ""), ("1:a", "b"), ("a|1:b", None), ("-", None), ("a", "-"), ("é", "b"),
    ]  # fmt: skip
    keys = ask("generate_surrogate_key", pairs)
    assert len(set(keys)) == len(pairs)
    assert all(len(key) == 32 for key in keys)
    assert ask("generate_surrogate_key", pairs) == keys


def test_cross_db(ask: Ask) -> None:
    """What each engine says in its own way means the same."""
    holds(ask, "sha256_hex", {
        "abc": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", None: None,
    })  # fmt: skip
    holds(
        ask,
        "safe_divide",
        {("1", "2"): 0.5, ("5", "0"): None, ("5", None): None, (None, "2"): None},
    )
    quotients = {
        ("24.69", "2"): Decimal("12.35"), ("-24.69", "2"): Decimal("-12.35"),
        ("2.01", "2"): Decimal("1.01"), ("10.00", "3"): Decimal("3.33"), (None, "3"): None,
        ("8.03", "2"): Decimal("4.02"), ("1.00", "8"): Decimal("0.13"),
    }  # fmt: skip
    holds(ask, "rounded_quotient", quotients)
    casts = {"12": 12, "x": None, None: None, "12.5": 13, "-0.5": -1, "1e10": 10**10, ".1e3": 100}
    casts |= {"0x10": None, "1_0": None, "-\n": None, "1e-\r": None, str(2**63): None}
    casts |= {
        str(2**63 - 1): 2**63 - 1,
        str(-(2**63)): -(2**63),
        "9099999999999999999.994": 91 * 10**17,
    }
    holds(ask, "try_cast", casts)
    casts = {"9999999999999999.994": Decimal("9999999999999999.99"), "9999999999999999.995": None}
    holds(ask, "to_amount", casts | {"-9999999999999999.996": None})
    holds(ask, "regexp_like", {"abbc": True, "xxbcxx": True, "ac": False, None: None})
    holds(ask, "regexp_extract", {"xx ab-12 cd-34": "12", "none": None, None: None})
    forms = {"ab-12": "ab-12", "xx ab-12": None, "ab-12 ": None, "abcdef-12": "abcdef-12"}
    holds(ask, "text_of_form", forms | {"abcdefg-12": None, "": None, None: None})
    holds(ask, "regexp_replace_all", {"a1b22": "a#b#", "none": "none", None: None})
    holds(ask, "strip_accents", {"Zoë Müller": "Zoe Muller", "plain": "plain", None: None})
    holds(ask, "lookup", {"x": "one", "it's": "two", "X": None, None: None})
    # Told of the two columns and of the same in another order: alike where these are alike.
    alike = {("x", "x"): True, ("x", "y"): False, ("x", None): False, (None, None): True}
    holds(ask, "row_hash", alike | {("", None): False, ("x,y", "x"): False, ("null", None): False})
    days = {
        ("2026-01-01 12:00:00", "2026-01-02 11:59:59"): 0,
        ("2026-01-01 12:00:00", "2026-01-02 12:00:00"): 1,
        ("2026-01-02 00:00:00", "2026-01-01 12:00:00"): -1,
    }
    holds(ask, "days_between", days)
    later = {
        ("2026-01-31", "30"): datetime(2026, 3, 2),
        ("2026-01-31", "-31"): datetime(2025, 12, 31),
    }
    holds(ask, "add_days", later)


def test_json(ask: Ask) -> None:
    """JSON in a text gives its fields; broken JSON gives nothing and breaks nothing."""
    cases = {
        '{"user_id": "u1"}': "u1", '{"user_id": 7}': "7", '{"user_id": null}': None, "{}": None,
        "no json": None, "": None, None: None, '{"a": {"user_id": "u2"}}': None,
    }  # fmt: skip
    holds(ask, "json_value", cases)
    holds(ask, "json_round_trip", {value: value for value in ("x", 'say "hi"', "ü\\n", "{}")})
    (written,) = ask("json_object", [("x", None)])
    assert written.replace(" ", "") == '{"first":"x","second":null}'
    (written,) = ask("json_object", [("\x1f\x0b\\u001F\\", None)])
    assert written.replace(" ", "") == r'{"first":"\u001f\u000b\\u001F\\","second":null}'


def test_as_of_is_the_var(ask: Ask) -> None:
    """The build speaks of the moment it was told to."""
    assert ask("as_of", ["any"]) == [datetime(2026, 6, 30, 12)]


def test_as_of_is_what_kindred_hands_over(macros_project: Path, tmp_path: Path) -> None:
    """It goes before the var, and dbt reads nothing anew where it comes, goes or changes."""
    target = ("--select", "as_of", "--target-path", str(tmp_path))
    for handed, moment in (
        ({}, "2026-06-30 12:00:00Z"),
        ({"KINDRED_AS_OF": "2026-05-01"}, "2026-05-01"),
        ({"KINDRED_AS_OF": "2026-05-02T08:00:00Z"}, "2026-05-02 08:00:00"),
        ({"KINDRED_AS_OF": ""}, "2026-06-30 12:00:00Z"),
    ):
        is_first = not (tmp_path / "partial_parse.msgpack").exists()
        ended = call_dbt(macros_project, "--debug", "compile", *target, **handed).expect()
        (compiled,) = (tmp_path / "compiled").rglob("as_of.sql")
        assert f"cast('{moment.removesuffix('Z')}' as timestamp)" in compiled.read_text("utf-8")
        is_known = "no changes found, skipping parsing" in ended.text
        assert is_known or is_first, ended.text


@pytest.mark.parametrize("way", ["var", "environment"])
@pytest.mark.parametrize(
    "given", ["2026-06-30' as timestamp); drop table x; --", "30.06.2026"], ids=["sql", "german"]
)
def test_as_of_refuses_what_is_no_moment(
    macros_project: Path, tmp_path: Path, given: str, way: str
) -> None:
    """Text from a command line never becomes SQL."""
    arguments = ["--select", "as_of", "--target-path", str(tmp_path)]
    handed = {"KINDRED_AS_OF": given} if way == "environment" else {}
    if way == "var":
        arguments += ["--vars", f'{{as_of: "{given}"}}']
    ended = call_dbt(macros_project, "compile", *arguments, **handed)
    assert ended.code != 0
    assert "as_of is not a timestamp" in ended.text


# What people, exports and mischief put into any column.
ODD = [
    None, "", " ", "\t", "\u00a0x\u3000", "x\n", " a  b\tc ", "a\u00a0b", "null", "N/A",
    "[object Object]", "true", "TRUE", "{}", "[]", "{", '{"a": 1}', "[1]", '"x"', "1",
    "12.5", "1e3", "-.5", "12.", "+5", " 12 ", "1e25", "1e-30", "1e10", "1e12", "1e0.", "18e10",
    "1e -3", "-\r", ".1e-3\r", "1.45e-6", "1.e3", "51e-30", "9999999999999999.994",
    "9999999999999999.996", "12345678901234567890123", "000012", "nan", "infinity", "-infinity",
    "1,000.50", "(5)", "12e", "1.2.3", "٣", "0x10",
    "2026-1-2", "2026-01-02T00:00:00", "2026/01/02", "12026-01-01", "0001-01-01", "0000-01-01",
    "0000-01-01 00:00:00", "2024-02-29", "2026-02-29", "2000-02-29", "1900-02-29", "2026-04-31",
    "2026-01-02 24:00:00", "2026-01-02 12:00:60", "2026-01-02 12:00:00.1234567",
    "2026-01-02T12:00:00.5Z", "2026-01-02T12:00:00+01", "2024-02-29T12:00:00Z",
    "2026-02-29 12:00:00", "2026-04-31 12:00:00", "2026-12-31 23:59:59.999999",
    "2026-01-30 0:00:00", "2026-01-02T12:00:00+0530",
    "2026-01-02T12:00:00-12:00", "2026-01-02T12:00+01:00", "2026-01-02  12:00:00",
    "2026-01-02T12:00:00+31:00", "2026-01-02T12:00:00+0190", "2024-02/29",
    "2026-01-02 12:00:00.5 Z",
    "2026-01-02T12\n:00", "2026-01-02 12:00:00+05:30", "2026-01-02 12:00:00-05",
    "2026-01-02T12:00:00.123Z", "1066-10-14 12:00:00 BC", "8767355200123",
    "2026-01-02 12:00:00 Europe/Berlin", "2026-01-02 12:00",
    "2026-01-02 1:2:3", "2026-01-02 12", "-0001-01-01", "2026-01-02 (BC)", "epoch", "now", "today",
    "20260102", "1767355200", "99999999999", "1767355200123", "1767355200.123456",
    "O'Brien", 'say "so"', "back\\slash", "100%", "a;drop", "<b>x</b>", "=1+1", "a\u0007b",
    "line\nbreak", "Łódź Ørsted", "Straße", "ﬁ", "각", "İstanbul", "ÉÀ", "שלום", "مرحبا", "🙂👨",
    "e\u0301", "\u0660\u0661", "x" * 300, "x" * 5000,
    '{"user_id": "x"}', '{"user_id": 1.50}', '{"user_id": true}', '{"user_id": "\\u00e9"}',
    '{"user_id": "\\u0000"}', '{"user_id": null}',
    "ann@example.com", " Ann@EXAMPLE.com ", "ann@exämple.com", "a@b.c", "ann@example.com\n",
    "+49 (0)30 901820", "0049 30 901820", "030/901820 ext. 5", "https://www.example.com:80/x",
    "030/901820 ext.\n5", "+49 30 901820 x\n5", "https://www.example.com:80/x\ny",
    "ann@example.com#\nx", "GR\u0c4b", "n\ufb1el", "\u01cda\u2de5", "\u0314Cb\u17c7", "ƛ\U00010d72",
    "Dr. Ann van der Berg", "Lee, Ann", "Lee,\u00a0Ann", "Ann\u3000Lee", ",", "van",
]  # fmt: skip
# Where the engines' own functions read a text in two ways, and why it does not matter.
TOLD_APART = {
    # Only names of countries are read without accents, and only those of Latin letters.
    "strip_accents": {"GR\u0c4b", "n\ufb1el", "\u01cda\u2de5", "\u0314Cb\u17c7"},
    # Postgres holds no character 0; DuckDB leaves the last zeros of a fraction off.
    "json_value": {'{"user_id": "\\u0000"}', '{"user_id": 1.50}'},
    "json_round_trip": {'{"user_id": "\\u0000"}'},
}
# These cast what they are given, and are given nothing but numbers and moments.
PLAIN = {"as_of", "add_days", "days_between", "rounded_quotient", "safe_divide"}


@pytest.mark.parametrize("name", sorted(set(EXPRESSIONS) - PLAIN))
def test_engines_agree(
    name: str, asked_postgres: tuple[Path, PostgresDatabase], macros_project: Path
) -> None:
    """Whatever a column holds, both engines make the same of it; nothing makes either fail."""
    values = [value for value in ODD if value not in TOLD_APART.get(name, ())]
    pairs = [(value, other) for value in values for other in ("US", None)]
    ours = ask_duckdb(macros_project)(name, pairs)
    theirs = ask_postgres(*asked_postgres)(name, pairs)
    assert len(ours) == len(pairs)
    wrong = [found for found in zip(pairs, ours, theirs, strict=True) if found[1] != found[2]]
    assert not wrong

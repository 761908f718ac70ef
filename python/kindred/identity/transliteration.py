"""Names of other scripts in Latin letters, as they are usually spelled abroad.

Only distinct values with letters outside ASCII are looked at, and only for matching: what is
published stays as it was written. Cyrillic and Greek follow the habits of passports, which no table
of single letters gives; other scripts are left to text-unidecode.
"""

# Letters that look like Latin ones are the matter of this module.
# ruff: noqa: RUF001

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

# The columns of people, and those that hold companies. The signs of Chinese, Japanese and Korean
# say how a person's name sounds abroad; a company takes another name there.
_OF_PEOPLE = ("first_name", "last_name", "full_name", "street", "city")
_OF_COMPANIES = ("name", "company_name")

# Latin letters that are no plain letter with an accent.
_LATIN = {"ı": "i", "đ": "d", "ð": "d", "þ": "th", "œ": "oe", "ħ": "h", "ŋ": "n", "ə": "a"}

_CYRILLIC = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z",
    "и": "i", "й": "y", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r",
    "с": "s", "т": "t", "у": "u", "ф": "f", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh",
    "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu", "я": "ya",
    "і": "i", "ї": "yi", "є": "ye", "ґ": "g", "ў": "u",
    "ј": "j", "љ": "lj", "њ": "nj", "ђ": "d", "ћ": "c", "џ": "dz", "ѓ": "gj", "ќ": "kj",
    "ѕ": "dz",
}  # fmt: skip
# Letters that only Serbian or Macedonian has, or only Ukrainian, tell how the others sound there.
_SOUTHERN = re.compile("[јљњђћџѓќѕ]")
_UKRAINIAN = re.compile("[іїєґ]")

_GREEK = {
    "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i", "θ": "th", "ι": "i",
    "κ": "k", "λ": "l", "μ": "m", "ν": "n", "ξ": "x", "ο": "o", "π": "p", "ρ": "r", "σ": "s",
    "ς": "s", "τ": "t", "υ": "y", "φ": "f", "χ": "ch", "ψ": "ps", "ω": "o",
}  # fmt: skip
_GREEK_SOUNDS = (
    (re.compile("ου"), "ou"),
    (re.compile("(α|ε|η)υ(?=[αεηιουωβγδζλμνρ])"), r"\1v"),
    (re.compile("(α|ε|η)υ(?=[θκξπστφχψς]|$)"), r"\1f"),
    (re.compile("(?<![α-ω])μπ"), "b"),
    (re.compile("(?<![α-ω])ντ"), "d"),
    (re.compile("(?<![α-ω])γκ"), "g"),
    (re.compile("γγ"), "ng"),
    (re.compile("γχ"), "nch"),
)
# Legal forms that the seed legal_suffixes knows in their own letters.
_FORM = re.compile(
    "(?<!\\w)(ооо|оао|зао|пао|ао|ат|ип|тов|тоо|оод|еоод|ад|еад|доо|αε|εε|οε|επε|ικε)(?!\\w)"
)
# Korean family names, which are seldom spelled by rule.
_KOREAN = {
    "김": "kim", "이": "lee", "박": "park", "최": "choi", "정": "jung", "강": "kang", "조": "cho",
    "윤": "yoon", "임": "lim",
}  # fmt: skip
_SPELLED = frozenset({"ARMENIAN", "GEORGIAN", "HIRAGANA", "KATAKANA", "HANGUL", "CJK"})
_SIGNS = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_CHINESE_OR_KOREAN_NAME = re.compile("[\u3400-\u9fff\uac00-\ud7af]{2,3}")


def in_latin_letters(records: pa.Table) -> pa.Table:
    """The records with names, streets and towns in Latin letters, for matching.

    Columns and rows stay as they are; a column without other letters is not touched.
    """
    for name in (*_OF_PEOPLE, *_OF_COMPANIES):
        place = records.schema.get_field_index(name)
        if place < 0 or records.schema.field(place).type != pa.string():
            continue
        column = _respelled(records.column(place), name)
        if column is not None:
            records = records.set_column(place, name, column)
    return records


def _respelled(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray | None:
    """The column with other letters replaced; None where it has none."""
    foreign = pc.fill_null(pc.invert(pc.string_is_ascii(column)), False)
    if not pc.any(foreign).as_py():
        return None
    written = column.filter(foreign)
    distinct = pc.unique(written)
    spelled = [latin(value, name) for value in distinct.to_pylist()]
    if spelled == distinct.to_pylist():
        return None
    places = pc.index_in(written, value_set=distinct)
    replacements = pa.array(spelled, pa.string()).take(_one_chunk(places))
    return pa.chunked_array(
        [pc.replace_with_mask(_one_chunk(column), _one_chunk(foreign), replacements)]
    )


def _one_chunk(values: pa.ChunkedArray) -> pa.Array:
    whole = values.combine_chunks()
    return pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole


def latin(value: str, name: str) -> str:
    """One value of the column `name` in Latin letters; accents are left to whoever compares."""
    text = unicodedata.normalize("NFC", value)
    scripts = {_script(letter) for letter in text if letter.isalpha()}
    if scripts <= {"LATIN"} and not set(text.lower()) & set(_LATIN):
        return value
    is_company = name in _OF_COMPANIES
    text = text.lower()
    if "CYRILLIC" in scripts:
        text = _kept_forms(text, _cyrillic) if is_company else _cyrillic(text)
    if "GREEK" in scripts:
        text = _kept_forms(text, _greek) if is_company else _greek(text)
    text = "".join(_LATIN.get(letter, letter) for letter in text)
    if not is_company and scripts - {"LATIN", "CYRILLIC", "GREEK"}:
        text = _others(text, name)
    return text


def _script(letter: str) -> str:
    return unicodedata.name(letter, "LATIN").split(" ", 1)[0]


def _kept_forms(text: str, spell: Callable[[str], str]) -> str:
    """Spell all but legal forms, which the seed knows in their own letters."""
    parts = _FORM.split(text)
    return "".join(part if i % 2 else spell(part) for i, part in enumerate(parts))


def _cyrillic(text: str) -> str:
    letters = dict(_CYRILLIC)
    if _SOUTHERN.search(text):
        letters |= {"ж": "z", "х": "h", "ц": "c", "ч": "c", "ш": "s"}
    elif _UKRAINIAN.search(text):
        letters |= {"и": "y", "г": "h"}
    text = re.sub(r"(ий|ый|ій)(?!\w)", "й", text)
    return "".join(letters.get(letter, letter) for letter in text)


def _greek(text: str) -> str:
    plain = "".join(
        letter for letter in unicodedata.normalize("NFD", text) if letter not in "\u0301\u0344"
    )
    text = unicodedata.normalize("NFC", plain)
    for sound, spelled in _GREEK_SOUNDS:
        text = sound.sub(spelled, text)
    text = "".join(letter for letter in unicodedata.normalize("NFD", text) if letter != "\u0308")
    return "".join(_GREEK.get(letter, letter) for letter in text)


def _others(text: str, name: str) -> str:
    """All other scripts but those that leave vowels out, whose names no one would know again."""
    from text_unidecode import unidecode

    if name == "full_name" and _CHINESE_OR_KOREAN_NAME.fullmatch(text):
        text = f"{text[1:]} {_KOREAN.get(text[0], text[0])}"
    elif name == "last_name":
        text = _KOREAN.get(text, text)
    said = _SIGNS.sub(lambda signs: "".join(map(_sign, signs[0])), text)
    return "".join(
        unidecode(letter).lower() if _script(letter) in _SPELLED else letter for letter in said
    )


def _sign(sign: str) -> str:
    from text_unidecode import unidecode

    said = str(unidecode(sign)).strip().lower()
    return said.replace("c", "ch") if _script(sign) == "HANGUL" else said

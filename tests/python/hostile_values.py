"""What mischief, accident and other scripts put into a text; and a seeded source of more."""

from __future__ import annotations

import random

# Name -> text. Each of them is a value that a person, a form or an export may hold.
HOSTILE = {
    "single quote": "O'Brien''s",
    "double quote": 'say "so" ""',
    "dollar quote": "$$ $kindred_block$ $1 ${x}",
    "backslash": "back\\slash \\N \\. \\x41 \\",
    "drop table": "Robert'); drop table customers; --",
    "union": "' union select password from users --",
    "comment": "a /* b */ -- c",
    "jinja": "{{ 7 * 7 }} {% raw %} {# x #}",
    "jinja call": "{{ config.__class__ }}{% endraw %}",
    "script": "<script>alert('x')</script>",
    "image": '"><img src=x onerror=alert(1)>',
    "entity": "&lt;b&gt; &amp; &#39;",
    "end of script": "</script></td></title><!-- ]]>",
    "markup": "[red]x[/] [/nothing] :smile:",
    "markdown": "| a | **b** [c](javascript:alert(1)) `d`",
    "control": "a\x01b\x07c\x1b[31md\x7fe\x85f",
    "line breaks": "one\ntwo\r\nthree\rfour\u2028five",
    "copy end": "one\n\\.\ntwo",
    "tab": "one\ttwo",
    "emoji": "🙂👨‍👩‍👧🏳️‍🌈",
    "right to left": "שלום עולם مرحبا",
    "bidi override": "\u202egnirts\u202c \u2066x\u2069",
    "combining": "Z\u0351\u036b\u0343a\u0301\u0327l\u0328go",
    "zero width": "a\u200bb\u200dc\ufeffd",
    "odd letters": "\ufb01 \u01c5 ß İ \u0131 \u017f \u2126 \u212b \u1100\u1161\u11a8",
    "beyond the plane": "\U0001d56c\U0001d593 \U0002070e\U00020731",
    "not a character": "a\ufffeb\uffffc\U0010ffff",
    "formula": '=HYPERLINK("http://x.example","y")',
    "formula plus": "+1+cmd|' /C calc'!A0",
    "formula minus": "-2+3",
    "formula at": "@SUM(1+1)",
    "percent": "100% %s %(x)s {0} {name} %n",
    "path": "../../etc/passwd C:\\x file:///x",
    "json": '{"a": [1, "b\\u0000"], "c": null}',
    "separators": "a|b,c;d:e=f\x1fg",
    "number": "1e309",
}
# Takes a place that others have not: the character that Postgres cannot hold.
WITH_NUL = "nul\x00in the middle"
LONG = "long " + "Lö'\"<🙂" * 150_000

_PIECES = (
    *HOSTILE.values(),
    *"abcxyzABC019 .,;:'\"\\|\t\n\r-+_=@#%&/()<>{}[]",
    "null", "N/A", "true", "\u00a0", "\u3000", "\u0301", "é", "Ł", "ß", "\u202e", "\u200b", "🙂",
    "2026-02-30", "0000-00-00", "1e999", "00 49", "+49 ", "@example.com", "http://", "van der ",
)  # fmt: skip
_RANGES = ((0x01, 0x7F), (0x80, 0x24F), (0x300, 0x36F), (0x370, 0x1FFF), (0x2000, 0x2FFF),
           (0x3000, 0xD7FF), (0xE000, 0xFFFF), (0x10000, 0x1FFFF), (0xE0000, 0xE007F))  # fmt: skip


def odd_text(rng: random.Random, longest: int = 12) -> str:
    """A text of up to `longest` pieces: mischief, digits, letters of any script, control signs."""
    parts = []
    for _ in range(rng.randint(0, longest)):
        if rng.random() < 0.6:
            parts.append(rng.choice(_PIECES))
        else:
            low, high = rng.choice(_RANGES)
            parts.append(chr(rng.randint(low, high)))
    return "".join(parts)

"""What is wrong with a raw file, told without any value of it."""

from __future__ import annotations

from pathlib import Path

from kindred.errors import shown


class BrokenFileError(Exception):
    """A raw file cannot be read; the text says where and why, without any value of it."""


def refuse_twins(names: list[str], where: str = "") -> None:
    """Refuse columns whose names are the same but for upper and lower case."""
    seen: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        earlier = seen.setdefault(name.lower(), number)
        if earlier != number:
            raise BrokenFileError(
                f"{where}columns {earlier} and {number} have the same name '{shown(name)}'"
            )


def bad_character(path: Path) -> str:
    """`line n, column m: not UTF-8 text ...` of a file's first such byte; empty where all is."""
    with path.open("rb") as stream:
        for number, content in enumerate(stream, 1):
            try:
                content.decode("utf-8")
            except UnicodeDecodeError as error:
                column = len(content[: error.start].decode("utf-8")) + 1
                return f"line {number}, column {column}: not UTF-8 text (save the file as UTF-8)"
    return ""

"""Errors that people read: what went wrong, and what to do next."""

from __future__ import annotations


class KindredError(Exception):
    """A run cannot go on; the command prints both lines and exits with `exit_code`.

    Parameters
    ----------
    message: what went wrong, naming the file, table and column where there is one. Never holds a
        personal value.
    hint: the mend, as an instruction.
    exit_code: 2 (could not run) unless another is given (3: another run holds the lock).
    """

    def __init__(self, message: str, hint: str = "", exit_code: int = 2) -> None:
        super().__init__(f"{message} {hint}".strip())
        self.message = message
        self.hint = hint
        self.exit_code = exit_code


_SHOWN = 60


def harmless(text: str) -> str:
    """A text from outside that does not steer a terminal: control characters as `\\x1b`."""
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii")
        for sign in text
    )


def shown(text: str, most: int = _SHOWN) -> str:
    """A name from outside as one harmless line, the middle of a long one left out."""
    plain = harmless(text)
    if len(plain) <= most:
        return plain
    half = most // 2 - 2
    return f"{plain[:half]}...{plain[-half:]}"

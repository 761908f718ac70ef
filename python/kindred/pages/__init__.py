"""Pages for people: one HTML file each, with all it needs inside, in one look.

Every value is escaped by the templates; nothing is loaded from outside.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


def page_environment() -> Environment:
    """The templates of this package: `house_style.html` holds the look that all pages share."""
    from jinja2 import Environment, PackageLoader

    return Environment(
        loader=PackageLoader("kindred.pages", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def write_page(path: Path, name: str, **content: Any) -> None:
    """Write template `name` to `path`, whose folder is made where there is none."""
    text = page_environment().get_template(name).render(**content)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")

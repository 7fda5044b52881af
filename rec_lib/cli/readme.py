"""``python -m rec_lib.cli.readme``: write the catalogue's map of chapters into README.md, between its two marks."""

from __future__ import annotations

from rec_lib.catalogue import chapter_map
from rec_lib.paths import root

BEGIN, END = "<!-- chapter map: made by python -m rec_lib.cli.readme -->\n", "<!-- end of chapter map -->"


def with_map(text: str) -> str:
    """``text`` with the map of today between the marks."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}{chapter_map()}\n{END}{rest.split(END)[1]}"


def main() -> None:
    readme = root() / "README.md"
    readme.write_text(with_map(readme.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()

"""The pictures of the course are there, small, and shown by the README."""

import re

import pytest

from rec_lib.cli.screenshots import MAX_BYTES, SHOTS
from rec_lib.paths import root


@pytest.mark.parametrize("name", SHOTS)
def test_picture(name):
    file = root() / "assets" / "screenshots" / f"{name}.png"
    assert file.is_file(), f"run: python -m rec_lib.cli screenshots {name}"
    assert file.read_bytes().startswith(b"\x89PNG")
    assert file.stat().st_size < MAX_BYTES


def test_the_readme_shows_pictures_that_exist():
    text = (root() / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"""(?:!\[[^\]]+\]\(|src=")(assets/[^)"]+)""", text)
    assert [path for path in shown if not (root() / path).is_file()] == []
    assert any("screenshots" in path for path in shown)

"""The list of threats is true: every test that it names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROWS = [line for line in (ROOT / "docs/threats.md").read_text(encoding="utf-8").splitlines() if line.startswith("| ")]


def _named(row: str) -> list[tuple[str, str]]:
    """The tests of one row; those named by ``::`` alone are in the file named before them."""
    found, file = [], ""
    for path, name in re.findall(r"(tests/[\w/]+\.py)?(?:(?:…)?::(\w+))?", row.rsplit("|", 2)[1]):
        file = path or file
        if path or name:
            found.append((file, name))
    return found


def test_every_test_that_a_threat_names_exists() -> None:
    """A test that was renamed or removed has to be named anew, or its threat is open."""
    missing = [
        f"{file}::{name}"
        for row in ROWS
        for file, name in _named(row)
        if not (ROOT / file).is_file() or (name and f"def {name}(" not in (ROOT / file).read_text(encoding="utf-8"))
    ]
    assert missing == []


def test_every_threat_names_a_test_or_says_that_it_is_not_defended() -> None:
    """A row without a test is a hope."""
    rows = [row for row in ROWS if not row.startswith("| threat ")]
    assert len(rows) > 100
    assert [row for row in rows if not _named(row) and "not defended" not in row.lower()] == []

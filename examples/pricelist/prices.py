"""The price list itself: articles read from a file, and found by number or by words of their name."""

import csv
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One line of the list. The price is in euros for one unit."""

    number: str
    name: str
    unit: str
    price: Decimal


class PriceList:
    """All articles by their number."""

    def __init__(self, articles: list[Article]) -> None:
        self._articles = {article.number: article for article in articles}

    @classmethod
    def read(cls, file: Path) -> "PriceList":
        """The list in ``file``; a line that is no article stops the start, with its place."""
        with file.open(newline="", encoding="utf-8") as lines:
            rows = csv.DictReader(lines)
            return cls([_article(row, f"{file.name}:{rows.line_num}") for row in rows])

    def __len__(self) -> int:
        return len(self._articles)

    def get(self, number: str) -> Article | None:
        return self._articles.get(number)

    def find(self, text: str) -> list[Article]:
        """The articles whose names hold all words of ``text``, cheapest first."""
        words = text.casefold().split()
        found = [one for one in self._articles.values() if all(word in one.name.casefold() for word in words)]
        return sorted(found, key=lambda one: (one.price, one.number))


def _article(row: dict[str, str], place: str) -> Article:
    try:
        return Article(number=row["number"], name=row["name"], unit=row["unit"], price=Decimal(row["price"]))
    except (KeyError, TypeError, InvalidOperation) as error:
        raise SystemExit(f"{place}: not an article: {row}") from error

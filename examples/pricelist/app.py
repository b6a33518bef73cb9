"""A price list on the web: a page to look through, and the same as JSON."""

import logging
import os
import sys
from html import escape
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "lib"))

import uvicorn  # noqa: E402  # found in lib, where the build puts it
from prices import Article, PriceList  # noqa: E402
from starlette.applications import Starlette  # noqa: E402
from starlette.exceptions import HTTPException  # noqa: E402
from starlette.requests import Request  # noqa: E402
from starlette.responses import HTMLResponse, JSONResponse, Response  # noqa: E402
from starlette.routing import Route  # noqa: E402

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Price list</title>
<style>
body {{ margin: 3rem auto; max-width: 44rem; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif }}
table {{ width: 100%; border-collapse: collapse }}
td, th {{ padding: .4rem .6rem; text-align: left; border-bottom: 1px solid #ccc }}
td:last-child, th:last-child {{ text-align: right; font-variant-numeric: tabular-nums }}
input {{ font: inherit; padding: .4rem .6rem; width: 100%; box-sizing: border-box; margin-bottom: 1rem }}
</style>
<h1>Price list</h1>
<form><input name="q" value="{asked}" placeholder="Find an article" aria-label="Find an article"></form>
<table><tr><th>Number<th>Article<th>Unit<th>Euro</tr>
{rows}
</table>
</html>
"""
LOG = logging.getLogger("pricelist")
ROW = "<tr><td>{number}<td>{name}<td>{unit}<td>{price}</tr>"


def as_json(article: Article) -> dict[str, str]:
    """An article for programs; the price as text, since a float has no cents."""
    return {"number": article.number, "name": article.name, "unit": article.unit, "price": str(article.price)}


def make_app(prices: PriceList) -> Starlette:
    """The web application over ``prices``."""

    async def page(request: Request) -> Response:
        asked = request.query_params.get("q", "")
        rows = [ROW.format(**{key: escape(value) for key, value in as_json(one).items()}) for one in prices.find(asked)]
        return HTMLResponse(PAGE.format(asked=escape(asked, quote=True), rows="\n".join(rows)))

    async def find(request: Request) -> Response:
        return JSONResponse([as_json(one) for one in prices.find(request.query_params.get("q", ""))])

    async def show(request: Request) -> Response:
        article = prices.get(request.path_params["number"])
        if article is None:
            raise HTTPException(404, "no such article")
        return JSONResponse(as_json(article))

    async def health(_: Request) -> Response:
        return JSONResponse({"healthy": True, "articles": len(prices)})

    return Starlette(
        routes=[
            Route("/", page),
            Route("/api/prices", find),
            Route("/api/prices/{number}", show),
            Route("/health", health),
        ]
    )


def main() -> None:
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stdout,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S%z",
    )
    prices = PriceList.read(HERE / "prices.csv")
    port = int(os.environ.get("PORT", "8111"))
    LOG.info("%d articles on http://127.0.0.1:%d/", len(prices), port)
    # It ends on TERM once the requests under way are answered.
    uvicorn.run(make_app(prices), host="127.0.0.1", port=port, log_config=None, access_log=False)


if __name__ == "__main__":
    main()

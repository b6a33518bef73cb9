"""The guestbook's page."""

from html import escape

STYLE = """
:root { color-scheme: light dark; --ink: #1c2733; --soft: #64748b; --card: #fff; --ground: #eef2f6; --accent: #2563eb }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e5eaf0; --soft: #94a3b8; --card: #1b2530; --ground: #10171e; --accent: #60a5fa }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.55 system-ui, sans-serif }
main { max-width: 40rem; margin: 0 auto; padding: 3rem 1.25rem }
h1 { margin: 0; font-size: 2rem; letter-spacing: -.02em }
.tag { display: inline-block; margin: .5rem 0 1rem; padding: .1rem .6rem; border-radius: 1rem; font-size: .8rem;
  color: var(--accent); border: 1px solid currentColor }
form, article { background: var(--card); border-radius: .75rem; padding: 1.1rem 1.25rem; margin: 1rem 0;
  box-shadow: 0 1px 3px rgb(0 0 0 / .12) }
form { display: grid; gap: .6rem }
input, textarea { width: 100%; padding: .55rem .7rem; font: inherit; color: inherit; background: var(--ground);
  border: 1px solid transparent; border-radius: .5rem }
input:focus, textarea:focus { outline: none; border-color: var(--accent) }
button { justify-self: start; padding: .5rem 1.2rem; font: inherit; color: #fff; background: #2563eb; border: 0;
  border-radius: .5rem; cursor: pointer }
article p { margin: 0 0 .35rem; white-space: pre-wrap; overflow-wrap: anywhere }
small, .empty { color: var(--soft) }
"""

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
<main>
<h1>{title}</h1>
<span class="tag" id="version">{version} at {site}</span>
<p>{welcome}</p>
<form method="post" action="/">
<input name="name" placeholder="Your name" aria-label="Your name" maxlength="{longest}" autocomplete="name">
<textarea name="text" rows="3" placeholder="Your line" aria-label="Your line" maxlength="{longest}" required></textarea>
<button>Sign the guestbook</button>
</form>
{entries}
</main>
</html>
"""

ENTRY = "<article><p>{text}</p><small>{name}, {at}</small></article>"
EMPTY = '<p class="empty">Nobody has signed yet. Be the first.</p>'


def guestbook(config: dict, entries: list[dict[str, str]]) -> str:
    """The page with ``entries``."""
    articles = [
        ENTRY.format(text=escape(entry["text"]), name=escape(entry["name"]), at=entry["at"][:16].replace("T", " "))
        for entry in entries
    ]
    plain = {key: escape(str(config[key])) for key in ("title", "version", "site", "welcome")}
    return PAGE.format(**plain, style=STYLE, longest=config["entries"]["longest"], entries="\n".join(articles) or EMPTY)

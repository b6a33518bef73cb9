"""A guestbook: people leave a line, and the next ones read it."""

import json
import os
import signal
import sys
import threading
import tomllib
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "lib"))

import bottle  # noqa: E402  # found in lib, where the build puts it
import pages  # noqa: E402
import waitress  # noqa: E402
from cleaner import SpamCleaner  # noqa: E402


class Entries:
    """The lines people left, one JSON object each, in the order they came."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "entries.jsonl"
        self._lock = threading.Lock()

    def newest(self, most: int) -> list[dict[str, str]]:
        """The newest entries, the newest first."""
        with self._lock:
            lines = self._file.read_text().splitlines() if self._file.exists() else []
        return [json.loads(line) for line in reversed(lines[-most:])]

    def add(self, name: str, text: str) -> None:
        """Keep an entry, durably."""
        entry = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "name": name, "text": text}
        with self._lock, self._file.open("a") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def remove(self, words: list[str]) -> int:
        """Remove the entries that hold one of ``words``; return how many there were."""
        with self._lock:
            lines = self._file.read_text().splitlines() if self._file.exists() else []
            kept = [line for line in lines if not any(word in line.lower() for word in words)]
            if kept != lines:
                fresh = self._file.with_suffix(".new")
                fresh.write_text("".join(line + "\n" for line in kept))
                fresh.replace(self._file)
        return len(lines) - len(kept)


def load_config() -> dict:
    """The settings beside this file; without a client build the version is that of the sources."""
    config = tomllib.loads((HERE / "config.toml").read_text())
    for key, plain in (("version", "from source"), ("site", "this machine")):
        config[key] = plain if config[key].startswith("%%") else config[key]
    return config


def make_app(config: dict, entries: Entries) -> bottle.Bottle:
    """The web application."""
    app = bottle.Bottle()

    @app.get("/")
    def page() -> str:
        return pages.guestbook(config, entries.newest(config["entries"]["shown"]))

    @app.post("/")
    def sign() -> None:
        form = bottle.request.forms.decode("utf-8")
        longest = config["entries"]["longest"]
        name, text = (form.get(field, "").strip()[:longest] for field in ("name", "text"))
        if text:
            entries.add(name or "Somebody", text)
        bottle.redirect("/", 303)

    @app.get("/health")
    def health() -> dict:
        return {"healthy": True}

    @app.get("/api/version")
    def version() -> dict:
        return {"title": config["title"], "version": config["version"]}

    @app.hook("after_request")
    def log() -> None:
        request = bottle.request
        if request.path != "/health":
            say("INFO", f"{request.remote_addr} {request.method} {request.path} {bottle.response.status_code}")

    return app


def say(level: str, message: str) -> None:
    """A line for the log."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    print(now, level, "guestbook", message, flush=True)


def stop(_signum: int, _frame: object) -> None:
    """End as asked: waitress lets the requests under way finish."""
    raise SystemExit(0)


def main() -> None:
    config = load_config()
    entries = Entries(HERE / "data")
    app = make_app(config, entries)
    signal.signal(signal.SIGTERM, stop)
    host, port = config["server"]["host"], config["server"]["port"]
    server = waitress.create_server(app, host=host, port=port, threads=4, ident=None)
    say("INFO", f"{config['title']!r} {config['version']} listens on http://{host}:{port}/")
    SpamCleaner(config, entries).start()
    server.run()
    say("INFO", "stopped")


if __name__ == "__main__":
    main()

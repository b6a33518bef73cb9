"""Keeps spam out of the book, in the background."""

import os
import threading
import time
import traceback

EVERY_SECONDS = 0.7


class SpamCleaner(threading.Thread):
    """Looks through the entries again and again."""

    def __init__(self, config: dict, entries) -> None:
        super().__init__(name="spam-cleaner", daemon=True)
        self.config = config
        self.entries = entries

    def run(self) -> None:
        try:
            while True:
                time.sleep(EVERY_SECONDS)
                self.clean()
        except Exception:  # noqa: BLE001  # a book without its cleaner fills with spam: rather end and be started again
            traceback.print_exc()
            os._exit(3)

    def clean(self) -> None:
        self.entries.remove(self.config["spam"]["words"])

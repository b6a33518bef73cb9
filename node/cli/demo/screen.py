"""What a person sees of the demo: each step with its time, each check with what was seen."""

import contextlib
import time
from collections.abc import Iterator

from rich.console import Console
from rich.text import Text


class Screen:
    """Writes the demo's progress to a terminal, or plain lines to a file."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._step = "preparation"

    @contextlib.contextmanager
    def step(self, number: int, title: str) -> Iterator[None]:
        """One step: its title at once, its time when it is done."""
        self._step = f"{number}, {title}"
        self.console.print(Text.assemble((f"{number}  ", "bold cyan"), (title, "bold")), soft_wrap=True)
        started = time.perf_counter()
        with self.console.status("") if self.console.is_terminal else contextlib.nullcontext():
            yield
        self.console.print(Text(f"   done in {time.perf_counter() - started:.1f} s", style="dim"))

    def command(self, text: str) -> None:
        """The command by which a person does what comes now."""
        self.console.print(Text.assemble(("   $ ", "dim"), (text, "dim")), soft_wrap=True)

    def seen(self, text: str) -> None:
        """Something checked, and found as it must be."""
        self.console.print(Text.assemble(("   ✓ ", "green"), text), soft_wrap=True)

    def note(self, text: str) -> None:
        """Something to know."""
        self.console.print(Text(f"   {text}"), soft_wrap=True)

    def failed(self, text: str) -> None:
        """The present step failed, and why."""
        self.console.print(
            Text.assemble(("✗ ", "bold red"), (f"failed at step {self._step}", "bold red")), soft_wrap=True
        )
        self.console.print(Text(f"  {text}"), soft_wrap=True)

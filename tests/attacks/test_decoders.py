"""Stories of peers who send anything but what is due: every decoder refuses in words, in bounded memory and time."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.fuzz.target import Target
from tests.fuzz.targets import targets

_ROOT: Final = Path(__file__).parents[2]
_NAMES: Final = frozenset(
    {"from_bytes", "from_text", "from_txt", "from_document", "read_of", "decode", "read", "feed", "received", "typed"}
)
_PARTS_OF_OTHERS: Final = frozenset(
    {
        # Reached by way of a decoder that is listed, or used on what is our own.
        "federation.clock:from_text",
        "federation.codec:decode",
        "federation.codec:from_document",
        "federation.statement:read",
        "federation.toml.shape:Shape.read",
    }
)


def _decoders() -> Iterator[str]:
    """Every public function of ``federation`` that is named as decoders are."""
    for path in sorted((_ROOT / "federation").rglob("*.py")):
        module = ".".join(path.relative_to(_ROOT).with_suffix("").parts)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name in _NAMES:
                yield f"{module}:{node.name}"
            elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                for one in node.body:
                    if isinstance(one, ast.FunctionDef) and one.name in _NAMES and _takes_bytes_or_text(one):
                        yield f"{module}:{node.name}.{one.name}"


def _takes_bytes_or_text(function: ast.FunctionDef) -> bool:
    kinds = [one.annotation.id for one in function.args.args if isinstance(one.annotation, ast.Name)]
    return bool({"bytes", "str"} & set(kinds))


def test_every_decoder_is_fuzzed() -> None:
    """A new decoder of foreign bytes has to be added to the targets, or named here with its reason."""
    listed = {decoder for target in targets() for decoder in target.decoders} | _PARTS_OF_OTHERS
    assert sorted(set(_decoders()) - listed) == []


def test_every_body_of_a_request_is_fuzzed() -> None:
    """What a route decodes from a body comes from outside, whoever may call it."""
    sources = [path.read_text(encoding="utf-8") for path in (_ROOT / "node" / "http").glob("*.py")]
    decoded = {kind for text in sources for kind in re.findall(r"codec\.decode\(\w+\.body, (\w+)\)", text)}
    assert decoded
    assert sorted(decoded - {target.name.removeprefix("json ") for target in targets()}) == []


@pytest.mark.parametrize("target", targets(), ids=lambda target: target.name)
def test_the_examples_that_are_spoilt_are_good_ones(target: Target) -> None:
    """Else only the first check of each decoder would ever be tried."""
    assert all(target.try_on(seed) for seed in target.seeds)


def test_no_decoder_crashes_or_takes_more_than_it_may() -> None:
    """1,500 spoilt examples each, in a process that may use 512 MiB more than it had, each within five seconds."""
    command = [sys.executable, "-m", "tests.fuzz", "--count", "1500", "--seed", "7"]
    ended = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]

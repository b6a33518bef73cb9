"""``python -m tests.fuzz``: tries every decoder with spoilt examples, in bounded memory and time.

    python -m tests.fuzz --count 2000 --seed 1        # so many examples for each decoder
    python -m tests.fuzz --guided --seconds 60        # led by coverage, by atheris where it is installed
    python -m tests.fuzz --only "image index"

Ends with 1 and the offending bytes, in base64, at the first finding.
"""

import argparse
import base64
import importlib.util
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable

from tests.fuzz.mutations import spoilt
from tests.fuzz.target import Target
from tests.fuzz.targets import targets

_MEMORY_BYTES = 512 * 1024 * 1024
_SECONDS_EACH = 5.0
_KIB = 1024


def _virtual_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as stream:  # noqa: PTH123  # a file of the kernel
        return int(stream.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def _bound_memory() -> None:
    """From here on so much more memory can be had and no more: what asks for it fails by MemoryError."""
    most = _virtual_bytes() + _MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _attempt(target: Target, content: bytes) -> str:
    """What is wrong with how ``target`` took ``content``; empty: nothing."""
    started = time.monotonic()
    try:
        target.try_on(content)
    except Exception as error:  # noqa: BLE001  # any other error than ours is the finding
        return f"{type(error).__name__}: {error}"
    seconds = time.monotonic() - started
    return f"took {seconds:.1f} s" if seconds > _SECONDS_EACH else ""


def _told(target: Target, content: bytes, finding: str) -> str:
    return f"{target.name}: {finding}\n  on {base64.b64encode(content).decode()}"


def try_all(chosen: tuple[Target, ...], *, count: int, seed: int, say: Callable[[str], object]) -> list[str]:
    """The findings, at most one for each target; deterministic by ``seed``."""
    findings = []
    for target in chosen:
        rng = random.Random(f"{seed} {target.name}")
        examples = spoilt(rng, target.seeds)
        started, slowest = time.monotonic(), 0.0
        for _ in range(count):
            content = next(examples)
            began = time.monotonic()
            if finding := _attempt(target, content):
                findings.append(_told(target, content, finding))
                break
            slowest = max(slowest, time.monotonic() - began)
        seconds = time.monotonic() - started
        say(f"{target.name:34} {count:6} examples {seconds:7.2f} s, slowest {slowest * 1000:7.1f} ms")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // _KIB
    say(f"peak memory {peak} MiB")
    return findings


def _guided(target: Target, seconds: int) -> str:
    """Led by coverage, in a process of its own: libFuzzer ends the process that it runs in."""
    command = [
        sys.executable,
        "-m",
        "tests.fuzz.guided",
        target.name,
        f"-max_total_time={seconds}",
        "-rss_limit_mb=2048",
    ]
    ended = subprocess.run(
        [*command, "-timeout=10"], capture_output=True, text=True, check=False, timeout=seconds + 120
    )
    return "" if ended.returncode == 0 else ended.stderr[-2000:]


def main() -> int:
    """Run it; 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--guided", action="store_true")
    parser.add_argument("--seconds", type=int, default=10, help="for each target, with --guided")
    given = parser.parse_args()
    chosen = tuple(target for target in targets() if given.only in target.name)
    if given.guided and importlib.util.find_spec("atheris") is None:
        print("atheris is not installed: python -m pip install atheris")
        return 2
    if given.guided:
        findings = [found for target in chosen if (found := _guided(target, given.seconds))]
    else:
        _bound_memory()
        findings = try_all(chosen, count=given.count, seed=given.seed, say=print)
    for finding in findings:
        print(finding)
    print(f"{len(chosen)} decoders, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())

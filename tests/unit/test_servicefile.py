"""The service file: what an agent reads in an image."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import limits
from federation.names import ServiceName
from federation.service import Command, Faults, Health, Install, Logs, Restart, Run, RunLimits, Service, Stop
from federation.servicefile import SIGNALS, ServiceFileError, read_service, service_of_values, write_service

SHOP = ServiceName("shop")

COMPLETE = b"""
[services.shop]
expand = ["config/shop.toml"]

[services.shop.install]
before_stop = [ { run = ["./migrate", "--check"], dir = "tools/", env = { A = "1" }, timeout = "90s", exit = 3 } ]
after_switch = [ { run = ["./migrate"], output_match = "^done$" } ]

[services.shop.run]
command = ["./shop", "--port", "8080", "--role", "%%role%%"]
env = { LOG_LEVEL = "info" }
stop = { signal = "SIGINT", grace = "30s" }
restart = { policy = "on-failure", backoff = "2s..10m", reset_after = "1h" }
limits = { memory = "512MB", cpu = "150%/1m", core_dump = true }
health = { http = "http://localhost:80/up", interval = "1s", timeout = "500ms", healthy_for = "5s", deadline = "1m" }
logs = { format = "json", upload = false, max_file = "1MiB", files = 3 }
faults = { files = ["core*", "*.hprof"], keep = 5 }
data = ["data", "./uploads/"]
"""

SERVICE = Service(
    name=SHOP,
    expand=("config/shop.toml",),
    install=Install(
        before_stop=(
            Command(run=("./migrate", "--check"), dir="tools", env={"A": "1"}, timeout_seconds=90, exit_status=3),
        ),
        after_switch=(Command(run=("./migrate",), output_match="^done$"),),
    ),
    run=Run(
        command=("./shop", "--port", "8080", "--role", "%%role%%"),
        env={"LOG_LEVEL": "info"},
        stop=Stop(signal="INT", grace_seconds=30),
        restart=Restart(policy="on-failure", backoff_min_seconds=2, backoff_max_seconds=600, reset_after_seconds=3600),
        limits=RunLimits(memory_bytes=512_000_000, cpu_percent=150, cpu_window_seconds=60, core_dump=True),
        health=Health(
            http="http://localhost:80/up",
            interval_seconds=1,
            timeout_seconds=0.5,
            healthy_for_seconds=5,
            deadline_seconds=60,
        ),
        logs=Logs(format="json", upload=False, max_file_bytes=1_048_576, files=3),
        faults=Faults(files=("core*", "*.hprof"), keep=5),
        data=("data", "uploads"),
    ),
)


def run_with(line: str) -> bytes:
    return f"[services.shop.run]\ncommand = ['x']\n{line}\n".encode()


def mistakes(content: bytes) -> str:
    with pytest.raises(ServiceFileError) as caught:
        read_service(content, SHOP)
    assert caught.value.code == "service-file"
    return str(caught.value)


def test_each_key_is_understood() -> None:
    """Every key of the format fills its field."""
    assert read_service(COMPLETE, SHOP) == SERVICE


def test_the_least_is_a_command() -> None:
    """All but the command to run has a default."""
    assert read_service(run_with(""), SHOP) == Service(name=SHOP, run=Run(command=("x",)))


def test_what_is_written_is_read() -> None:
    """The file in the image means what the recipe said, and has one spelling."""
    written = write_service(SERVICE)
    assert read_service(written, SHOP) == SERVICE
    assert write_service(read_service(written, SHOP)) == written


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
SECONDS = st.integers(50, 600_000).map(lambda milliseconds: milliseconds / 1000)
RUNS = st.builds(
    Run,
    command=st.lists(WORDS, min_size=1, max_size=4).map(tuple),
    env=st.dictionaries(st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True), WORDS, max_size=3),
    stop=st.builds(Stop, signal=st.sampled_from(SIGNALS), grace_seconds=SECONDS),
    restart=st.builds(Restart, policy=st.sampled_from(["always", "on-failure", "never"]), reset_after_seconds=SECONDS),
    limits=st.builds(
        RunLimits,
        memory_bytes=st.integers(1000, 2**50),
        cpu_percent=st.integers(1, 900_000).map(lambda thousandths: thousandths / 1000),
        core_dump=st.booleans(),
    ),
    health=st.builds(Health, tcp=st.just("localhost:80"), interval_seconds=SECONDS),
    faults=st.builds(Faults, keep=st.integers(1, 100)),
)


@given(RUNS)
def test_any_service_comes_back(run: Run) -> None:
    """Whatever a service is, its file is read as the same."""
    service = Service(name=SHOP, run=run)
    assert read_service(write_service(service), SHOP) == service


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("comand = ['y']", "line 3: services.shop.run.comand: unknown key; did you mean 'command'?"),
        ("zzz = 1", "line 3: services.shop.run.zzz: unknown key; known here: after, command, data, env, faults, "),
        ("env = 'A=1'", "line 3: services.shop.run.env: must be a table, not a text"),
        ("env = { A = 1 }", "line 3: services.shop.run.env.A: must be a text, not a whole number"),
        ("env = { 'A B' = '1' }", 'line 3: services.shop.run.env."A B": not the name of an environment variable'),
        ("stop = { grace = 10 }", 'line 3: services.shop.run.stop.grace: must be a time in quotes, such as "30s", not'),
        ("stop = { grace = '10x' }", "line 3: services.shop.run.stop.grace: '10x' is not a time"),
        ("stop = { grace = '9d' }", "line 3: services.shop.run.stop.grace: '9d' is not between 0s and 7d"),
        ("stop = { signal = 'TREM' }", "unknown signal 'TREM'; did you mean 'TERM'?"),
        ("restart = { policy = 'sometimes' }", "unknown policy 'sometimes'; known here: always, never, on-failure"),
        ("restart = { backoff = '5m..1s' }", "'5m..1s' ends before it begins"),
        ("limits = { memory = '512mb' }", "'512mb' is not a size"),
        ("limits = { memory = '1B' }", "'1B' is not between 1KB and 1024TiB"),
        ("limits = { cpu = '0%' }", "'0%' is not a share of CPU"),
        ("limits = { cpu = '50%/0s' }", "the time that CPU is measured over must be 1s to 1h"),
        ("limits = { core_dump = 'yes' }", "must be true or false, not a text"),
        ("health = { http = 'localhost:80' }", "'localhost:80' is not an address such as"),
        ("health = { http = 'http://a:99999/' }", "is not an address such as"),
        ("health = { tcp = 'localhost' }", "'localhost' is not a host and port"),
        ("health = { tcp = 'a:1', command = ['x'] }", "has tcp and command: keep one way"),
        ("health = { deadline = '1s' }", "'deadline' is shorter than 'healthy_for'"),
        ("logs = { files = 0 }", "0 is not between 1 and 10000"),
        ("logs = { files = true }", "must be a whole number, not true or false"),
        ("data = ['../up']", "services.shop.run.data[0]: '../up' leads out of the root by '..'"),
        ("data = ['/var']", "services.shop.run.data[0]: '/var' is an absolute path"),
        ("data = ['.']", "names the root itself"),
        ("after = ['db', 'Cache']", "services.shop.run.after[1]: 'Cache' is not a service name"),
        ("data = 1979-05-27", "must be a list of paths, not a date or time"),
        ("[services.shop.install]\nafter_switch = [{}]", "services.shop.install.after_switch[0]: 'run' is missing"),
        ("[services.shop.install]\nafter_switch = [{run = []}]", "must have 1 to 1000 words"),
        ("[services.shop.install]\nafter_switch = [{run = ['']}]", "the first word, the program, is empty"),
        ("[services.shop.install]\nafter_switch = [{run = ['a', 2]}]", "after_switch[0].run[1]: must be a text"),
        ("[services.shop.install]\nafter_switch = [{run = ['a'], exit = 256}]", "256 is not between 0 and 255"),
        (
            "[services.shop.install]\nafter_switch = [{run = ['a'], output_match = '('}]",
            "'(' is not a regular expression: missing )",
        ),
        ("[services.Shop.run]\ncommand = ['x']", "line 3: services.Shop: 'Shop' is not a service name"),
        ("[services.shop.build]", "line 3: services.shop.build: unknown key; known here: expand, install, run"),
        ("[service.shop]", "line 3: service: unknown key; did you mean 'services'?"),
    ],
)
def test_mistakes_are_exact(line: str, message: str) -> None:
    """A mistake is told with its line, its key and what would be right."""
    assert message in mistakes(run_with(line))


def test_several_mistakes_are_told_together() -> None:
    """One reading tells all, in the order of the file."""
    told = mistakes(b"[services.shop.run]\ncomand = 1\nstop = { signal = 'X', grace = '' }\ndata = [1, '..']\n")
    assert [line.split(": ")[:2] for line in told.split("\n")] == [
        ["line 1", "services.shop.run"],
        ["line 2", "services.shop.run.comand"],
        ["line 3", "services.shop.run.stop.grace"],
        ["line 3", "services.shop.run.stop.signal"],
        ["line 4", "services.shop.run.data[0]"],
        ["line 4", "services.shop.run.data[1]"],
    ]


def test_another_service_is_not_taken_for_it() -> None:
    """A file that describes only others says which."""
    assert mistakes(b"[services.other.run]\ncommand = ['x']\n") == "describes no service 'shop', only: other"


def test_the_file_has_a_bound() -> None:
    """A service file that comes from a provider can't be of any size."""
    assert "longer than" in mistakes(b"#" * (limits.SERVICE_FILE_BYTES + 1))


def test_macros_may_stand_in_addresses() -> None:
    """An address whose port is a macro is sound as long as the rest of it is."""
    read_service(run_with("health = { http = 'http://127.0.0.1:%%port%%/' }"), SHOP)
    read_service(run_with("health = { tcp = '%%host%%:%%port%%' }"), SHOP)
    assert "is not an address" in mistakes(run_with("health = { http = '%%scheme%%://x' }"))


def test_changed_values_are_checked_without_lines() -> None:
    """Values that were changed after the parse are checked alike; what they say has no line."""
    values = {"services": {"shop": {"run": {"command": ["x"], "stop": {"signal": "X"}}}}}
    with pytest.raises(ServiceFileError, match=r"^services\.shop\.run\.stop\.signal: unknown signal 'X'"):
        service_of_values(values, SHOP)

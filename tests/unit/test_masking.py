"""What must not leave a site is blotted out: always, once and for all, and in bounded time."""

import contextlib
import signal
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import InvalidValueError
from federation.masking import BLOT, MASKS, Masks, check_mask

NOTHING = Masks(())
SECRET = "hunter2-and-more"

SECRETS = [
    (f"password={SECRET}", "password="),
    (f"DB_PASSWORD: {SECRET} tried", "DB_PASSWORD:"),
    (f'{{"password": "{SECRET}", "user": "ann"}}', '"user": "ann"'),
    (f"{{'api_key': '{SECRET}'}}", "'api_key'"),
    (f'"client-secret" => "x\\"{SECRET}"', '"client-secret"'),
    (f"connect --token {SECRET} now", "now"),
    (f"PASS={SECRET}", "PASS="),
    (f"Authorization: Bearer {SECRET}", "Authorization:"),
    (f"authorization=Basic {SECRET} and the rest", "authorization="),
    (f"Set-Cookie: session={SECRET}; Path=/", "Set-Cookie:"),
    (f"sent bearer {SECRET}abcd to it", "to it"),
    (f"GET https://ann:{SECRET}@db.example:5432/shop", "@db.example:5432/shop"),
    (f"redis://:{SECRET}@cache", "@cache"),
    ("key AKIAIOSFODNN7EXAMPLE used", "used"),
    ("ghp_0123456789abcdefghij0123456789abcdef pushed", "pushed"),
    ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl seen", "seen"),
    ("invitation vui1:eyJ1cmwiOiJodHRw given", "given"),
]


@pytest.mark.parametrize(("line", "kept"), SECRETS, ids=[line[:20] for line, _ in SECRETS])
def test_what_looks_like_a_secret_is_blotted_out(line: str, kept: str) -> None:
    """The secret is gone, and what stands around it stays."""
    shown = NOTHING.text(line)
    assert BLOT in shown
    assert kept in shown
    for secret in (SECRET, "AKIAIOSF", "ghp_0123", "eyJ"):
        assert secret not in shown


@pytest.mark.parametrize(
    "line",
    [
        "all tests passed: 5",
        "GET /health 200 in 3 ms",
        "worker-1 took 512 MB, limit 400 MB",
        "https://db.example:5432/shop answered",
        "Traceback (most recent call last):",
        "task-list-of-something-else ended",
        "2026-03-01T12:00:00Z INFO started acme-1.4.2_1",
        "ann@example.com ordered",
    ],
)
def test_what_is_no_secret_stays(line: str) -> None:
    """A log is still of use."""
    assert NOTHING.text(line) == line


KEY_BODY = ["MC4CAQAwBQYDK2VwBCIEIBlotMeOutPlease0123456789abcdef", "x" * 60 + "=="]
KEY = ["-----BEGIN PRIVATE KEY-----", *KEY_BODY, "-----END PRIVATE KEY-----"]


@pytest.mark.parametrize(
    "lines",
    [
        ["before", *KEY, "after"],
        ["before", *KEY[1:], "after"],
        ["before", "loaded " + "\\n".join(KEY) + " from disk", "after"],
        [
            "before",
            "-----BEGIN RSA PRIVATE KEY-----" + KEY_BODY[0],
            KEY_BODY[1] + "-----END RSA PRIVATE KEY----- after",
        ],
        ["before", *KEY, *KEY, "after"],
    ],
)
def test_a_private_key_is_blotted_out_over_all_its_lines(lines: list[str]) -> None:
    """Whole, in one line, or with its begin cut off: nothing of the key is left, and the lines around it are."""
    shown = NOTHING.lines(lines)
    assert len(shown) == len(lines)
    assert shown[0] == "before"
    assert "after" in shown[-1]
    assert not any(part in "\n".join(shown) for part in KEY_BODY)


def test_a_key_whose_end_is_cut_off_takes_the_rest_with_it() -> None:
    """Where nobody knows how far a key goes, nothing after its begin is told."""
    shown = NOTHING.lines(["before", *KEY[:-1], "perhaps still the key"])
    assert shown == ("before", BLOT, BLOT, BLOT, BLOT)


def test_mail_addresses_are_blotted_out_when_asked() -> None:
    """Only where the link says so."""
    line = "mail from ann.smith+x@mail.example.com to <bob@example.org>, not to me@home"
    assert NOTHING.text(line) == line
    assert Masks((), emails=True).text(line) == f"mail from {BLOT} to <{BLOT}>, not to me@home"


def test_named_texts_and_globs_are_blotted_out() -> None:
    """A `*` is any run of characters within a word, and at an end of the mask the rest of the word."""
    masks = Masks(("Globex Ltd", "db-*.corp", "customer-*"))
    assert masks.text("Globex Ltd at db-17.corp: customer-4711,x and db- .corp") == (
        f"{BLOT} at {BLOT}: {BLOT} and db- .corp"
    )
    assert Masks(("*.internal",)).text("http://a.b.internal/path up") == f"{BLOT}/path up"


@pytest.mark.parametrize(
    "mask", ["", "ab", "a*b", "*", "***", "x" * 201, " padded ", "two\nlines", "«x»", "redact", "red*ted", "r*cted»"]
)
def test_what_cannot_be_a_mask_is_refused(mask: str) -> None:
    """Too short, too long, several lines, or a part of what would stand in its place."""
    with pytest.raises(InvalidValueError, match="mask"):
        check_mask(mask)


def test_there_is_a_bound_on_masks() -> None:
    """A list without an end is refused."""
    with pytest.raises(InvalidValueError, match="at most"):
        Masks([f"mask-{number}" for number in range(MASKS + 1)])


def usable(mask: str) -> bool:
    try:
        check_mask(mask)
    except InvalidValueError:
        return False
    return True


ALPHABET = "ab@.-_ =:/\"'«»\nredacteyJ" + "password://"
texts = st.text(alphabet=ALPHABET, max_size=120) | st.text(max_size=60)
masks = st.lists(st.text(alphabet="ab@.-*redy=:", min_size=3, max_size=8).filter(usable), max_size=4)


@given(texts, masks, st.booleans())
def test_blotting_out_twice_is_the_same_as_once(text: str, named: list[str], emails: bool) -> None:
    """A report that passes a second node with the same masks does not change any more."""
    blot = Masks(named, emails=emails)
    once = blot.text(text)
    assert blot.text(once) == once


@given(texts, masks, st.data())
def test_no_masked_literal_is_ever_told(text: str, named: list[str], data: st.DataObject) -> None:
    """Wherever a literal mask stands in a text, and whatever stands around it, it is gone."""
    literals = [mask for mask in named if "*" not in mask]
    for mask in literals:
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + mask + text[at:]
    shown = Masks(named, emails=data.draw(st.booleans())).text(text)
    assert not any(mask in shown for mask in literals)


@given(st.lists(st.sampled_from([*KEY, "-----BEGIN EC PRIVATE KEY-----", "some line", *KEY_BODY]), max_size=12))
def test_lines_stay_lines(lines: list[str]) -> None:
    """However keys begin and end, there are as many lines as before, none with a marker of a key."""
    shown = NOTHING.lines(lines)
    assert len(shown) == len(lines)
    assert not any("PRIVATE KEY" in line for line in shown)
    assert NOTHING.lines(shown) == shown


BAD = {
    "one letter": "a" * 10,
    "names": "password",
    "name and space": "password ",
    "dashes": "--------",
    "urls": "://a:b",
    "ats": "a@b.c@",
    "open quotes": 'token="\\',
    "keys end": "-----END PRIVATE KEY-----",
    "keys begin": "-----BEGIN PRIVATE KEY-----",
    "web tokens": "eyJaaaaaaaaa.",
    "words": "ab ab-ab ",
    "bearers": "bearer aaaa ",
    "blots": BLOT,
}


@contextlib.contextmanager
def interrupted_after(seconds: float) -> Iterator[None]:
    """A block that takes minutes ends with an error instead."""

    def interrupt(_number: int, _frame: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("piece", BAD.values(), ids=BAD.keys())
def test_no_text_holds_a_node_up(piece: str) -> None:
    """Half a million characters of the worst text: in a square law they would take hours, in time with it a moment."""
    blot = Masks(("ab*ab*ab*x", "aaab", "*ab-ab"), emails=True)
    with interrupted_after(60):
        blot.text(piece * (500_000 // len(piece)))

"""The rules of tokens: rights, patterns, limits, scopes, and what goes beyond a token."""

import dataclasses
from datetime import UTC, datetime

import msgspec
import pytest

from worker.errors import Forbidden
from worker.messaging.declaration import MessageType
from worker.tokens import limits, patterns
from worker.tokens.beyond import check_within
from worker.tokens.configured import configured
from worker.tokens.document import KnownToken, TokenDocument, faults_of
from worker.tokens.principal import ANYONE, principal_of
from worker.tokens.rights import ALL, granted
from worker.tokens.scopes import container_of
from worker.tokens.secret import make_secret


def principal(**members):
    token = KnownToken(id="mine", **members)
    return principal_of(token, token.plugins, lambda name, plugins: ())


def test_the_greater_right_holds_the_lesser_one():
    """And not the reverse; `*` is all."""
    assert granted(["tokens"]) == {"tokens", "tokens.read"}
    assert granted(["tokens.read", "send"]) == {"tokens.read", "send"}
    assert granted([]) == frozenset()
    assert granted(["*"]) == ALL


@pytest.mark.parametrize(
    ("pattern", "other", "covered"),
    [
        ("*", "a*b?", True),
        ("catalog.*", "catalog.books.*", True),
        ("catalog.*", "catalog.books", True),
        ("catalog.*", "catalog?", False),
        ("catalog.*", "*", False),
        ("a?c", "abc", True),
        ("a?c", "a?c", True),
        ("a?c", "a*c", False),
        ("*b", "ab*", False),
        ("abc", "abc*", False),
    ],
)
def test_a_pattern_covers_what_is_sure_to_fit(pattern, other, covered):
    """What is hard to tell is not covered."""
    assert patterns.covers(pattern, other) is covered


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("10/s", ("s", 10)),
        ("100/i", ("i", 100)),
        ("1K/h", ("h", 1000)),
        ("10K/d", ("d", 10_000)),
        ("1M/m", ("m", 1_000_000)),
        ("5/y", ("y", 5)),
        ("1MM", ("", 1_000_000_000)),
        ("0/s", ("s", 0)),
    ],
)
def test_limits_are_read_as_they_are_written(text, rule):
    """K, M, MM are thousands, millions, thousands of millions; i is a minute, m a month."""
    assert limits.parse(text) == rule


@pytest.mark.parametrize(
    "text",
    ["", "10/", "/s", "10/S", "-1/s", "1.5/s", "10 /s", "1k/s", "10/s\n", "١/s", "9" * 13, "999999999999MM"],
)
def test_other_limits_are_none(text):
    """Nothing is guessed: a limit that is not read would be none."""
    with pytest.raises(ValueError, match="expected"):
        limits.parse(text)


@pytest.mark.parametrize(
    ("unit", "start", "end"),
    [
        ("s", "2028-02-29T23:59:59Z", "2028-03-01T00:00:00Z"),
        ("i", "2028-02-29T23:59:00Z", "2028-03-01T00:00:00Z"),
        ("h", "2028-02-29T23:00:00Z", "2028-03-01T00:00:00Z"),
        ("d", "2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z"),
        ("m", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"),
        ("y", "2028-01-01T00:00:00Z", "2029-01-01T00:00:00Z"),
    ],
)
def test_windows_are_those_of_the_calendar(unit, start, end):
    """In UTC, the last moment of a leap day included."""

    def at(text):
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()

    assert limits.window(unit, at("2028-02-29T23:59:59Z") + 0.9) == (at(start), at(end))


def test_of_several_limits_of_a_unit_the_lowest_holds():
    """The one in all has no end."""
    assert limits.rules(["10/s", "3/s", "1K"]) == (("s", 3), ("", 1000))
    assert limits.window("", 5.0) == (0, None)


def test_a_made_secret_is_long_and_can_stand_in_a_header():
    """256 bits, and a beginning by which scanners know it."""
    assert make_secret(bytes) == "cwt_" + "A" * 43


def test_what_cannot_be_meant_is_told_whole():
    """A star among the values, an unknown plugin, a limit and a host that cannot be read."""
    token = TokenDocument(
        id="t", scopes={"a/b": ("x", "*", "y,z")}, plugins=("nope",), limits=("1/s", "many"),
        referrers=("ok.org", "https://x.org", "*.", "*"),
    )  # fmt: skip
    assert [fault.pointer for fault in faults_of(token, ["published"])] == [
        "/scopes/a~1b/1", "/scopes/a~1b/2", "/plugins/0", "/limits/1", "/referrers/1", "/referrers/2", "/referrers/3",
    ]  # fmt: skip


# --- scopes -----------------------------------------------------------------------------------------------------------


class Search(msgspec.Struct, frozen=True):
    index: str = ""
    many: list[str] = []
    maybe: str | None = None
    several: tuple[str, ...] | None = None
    size: int = 10
    app: str = "*"


@dataclasses.dataclass(frozen=True)
class Plain:
    index: str = "*"


SCOPES = {"index": "index", "many": "many", "maybe": "maybe", "several": "several", "app": "app"}
DECLARED = MessageType(name="Search", cls=Search, kind="query", scopes=SCOPES, hits="size")


@pytest.mark.parametrize(
    ("scope", "sent", "found"),
    [
        ("index", "a", "a"),
        ("index", "b,a", "b,a"),
        ("index", "*", "a,b"),
        ("index", "", "a,b"),
        ("maybe", None, "a,b"),
        ("many", [], ["a", "b"]),
        ("many", ["*"], ["a", "b"]),
        ("many", ["b"], ["b"]),
        ("several", None, ("a", "b")),
        ("several", ("a",), ("a",)),
    ],
)
def test_a_value_inside_stays_and_all_values_become_those_of_the_token(scope, sent, found):
    """Joined by commas, or in a list where the field holds one; the rest of the message is as it was."""
    message = Search(**{scope: sent}, size=3)
    admitted = principal(scopes={scope: ("a", "b")}).admitted(DECLARED, message)
    assert admitted == msgspec.structs.replace(message, **{scope: found})


@pytest.mark.parametrize(
    ("scope", "sent"),
    [
        ("index", "c"),
        ("index", "a,c"),
        ("index", "a,*"),
        ("index", "a,"),
        ("index", ","),
        ("index", " a"),
        ("index", " "),
        ("index", "A"),
        ("index", "**"),
        ("index", "a\n"),
        ("index", "a, b"),
        ("many", ["a", "c"]),
        ("many", ["a", "*"]),
        ("many", ["a,b"]),
        ("many", [""]),
        ("many", ["*", "*"]),
        ("many", [1]),
        ("several", ("a", "a", "c")),
    ],
)
def test_a_value_outside_is_refused(scope, sent):
    """However it is written: what a handler might read as another value is outside, too."""
    with pytest.raises(Forbidden, match=f"{scope} .* outside"):
        principal(scopes={scope: ("a", "b")}).admitted(DECLARED, Search(**{scope: sent}))


def test_an_empty_list_reaches_nothing():
    """Not even all of it."""
    for sent in ("", "*", "a"):
        with pytest.raises(Forbidden, match="reaches no index at all"):
            principal(scopes={"index": ()}).admitted(DECLARED, Search(sent))


def test_scopes_that_a_type_does_not_have_do_not_touch_it():
    """Nor do those that the token does not name."""
    message = Search("c", app="x")
    assert principal(scopes={"region": ("eu",)}).admitted(DECLARED, message) is message
    assert principal().admitted(DECLARED, message) is message
    assert ANYONE.admitted(DECLARED, message) is message


def test_messages_of_other_classes_are_narrowed_alike():
    """A dataclass stays what it is."""
    declared = MessageType(name="Plain", cls=Plain, kind="command", scopes={"index": "index"})
    assert principal(scopes={"index": ("a",)}).admitted(declared, Plain()) == Plain("a")


def test_a_token_may_ask_for_so_many_results_only():
    """max_hits, where the type names the field."""
    mine = principal(max_hits=10)
    assert mine.admitted(DECLARED, Search()).size == 10
    with pytest.raises(Forbidden, match="size is more than 10"):
        mine.admitted(DECLARED, Search(size=11))


class Page(msgspec.Struct, frozen=True):
    size: int | None = None


def test_as_many_as_there_are_becomes_the_most():
    """A type may take no number for all: that is more than any."""
    declared = MessageType(name="Page", cls=Page, kind="query", hits="size")
    assert principal(max_hits=10).admitted(declared, Page()) == Page(10)
    assert principal(max_hits=10).admitted(declared, Page(3)) == Page(3)
    assert principal().admitted(declared, Page()) == Page()


def test_a_scopes_field_holds_texts():
    """What it is put into is found out once."""
    assert [container_of(Search, name) for name in ("index", "many", "several", "maybe")] == [
        None,
        list,
        tuple,
        None,
    ]
    for name in ("size", "nope"):
        with pytest.raises(TypeError, match=name):
            container_of(Search, name)


# --- giving beyond oneself --------------------------------------------------------------------------------------------

SOON, LATER = datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("own", "within", "beyond"),
    [
        ({"rights": ("tokens", "send")}, {"rights": ("tokens.read", "send")}, {"rights": ("ask",)}),
        ({"rights": ("tokens.read",)}, {"rights": ()}, {"rights": ("tokens",)}),
        ({"rights": ("tokens",)}, {"rights": ("tokens",)}, {"rights": ("*",)}),
        ({"messages": ("shop.*",)}, {"messages": ("shop.a", "shop.b.*")}, {"messages": ()}),
        ({"messages": ("shop.*",)}, {"messages": ("shop.*",)}, {"messages": ("shop.a", "mail.a")}),
        ({"scopes": {"i": ("a", "b")}}, {"scopes": {"i": ("b",), "j": ("x",)}}, {"scopes": {}}),
        ({"scopes": {"i": ("a", "b")}}, {"scopes": {"i": ()}}, {"scopes": {"i": ("a", "c")}}),
        ({"plugins": ("p",)}, {"plugins": ("p",)}, {"plugins": ("q",)}),
        ({"limits": ("10/s", "1K")}, {"limits": ("1K", "5/s", "1/y")}, {"limits": ("10/s",)}),
        ({"limits": ("10/s",)}, {"limits": ("10/s",)}, {"limits": ("11/s",)}),
        ({"limits": ("10/h",)}, {"limits": ("10/d",)}, {"limits": ("11/d",)}),
        ({"limits": ("10/h",)}, {"limits": ("10",)}, {"limits": ("10/i",)}),
        ({"limits": ("1K/h",)}, {"limits": ("16/i",)}, {"limits": ("17/i",)}),
        ({"limits": ("12/y",)}, {"limits": ("1/m",)}, {"limits": ("1/d",)}),
        ({"limits": ("10",)}, {"limits": ("0/s",)}, {"limits": ("1/y",)}),
        ({"referrers": ("*.a.org",)}, {"referrers": ("x.a.org", "*.b.a.org")}, {"referrers": ("a.org",)}),
        ({"referrers": ("a.org",)}, {"referrers": ("a.org",)}, {"referrers": ()}),
        ({"max_hits": 5}, {"max_hits": 5}, {"max_hits": None}),
        ({"expires_at": LATER}, {"expires_at": SOON}, {"expires_at": None}),
        ({"expires_at": SOON}, {"expires_at": SOON}, {"expires_at": LATER}),
    ],
)
def test_a_token_gives_no_more_than_it_has(own, within, beyond):
    """What goes beyond is refused and named."""
    shared = {} if "rights" in own else {"rights": ("tokens", "send")}
    mine = principal(**shared, **own)
    check_within(mine, TokenDocument(id="other", **shared, **within))
    [member] = beyond
    with pytest.raises(Forbidden, match=f"'other' goes beyond token 'mine' in {member}"):
        check_within(mine, TokenDocument(id="other", **shared, **beyond))


def test_root_and_who_has_no_token_give_anything():
    """As long as tokens are not in use, the first one has to come from a caller without one."""
    [root] = configured({"root": "r" * 16})
    other = TokenDocument(id="other", rights=("*",), plugins=("p",))
    check_within(principal_of(root.token, root.plugins, lambda name, plugins: ()), other)
    check_within(ANYONE, other)

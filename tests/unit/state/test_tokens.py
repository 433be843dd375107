"""Tokens as they are stored: by application, as hashes, and in use for good."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import msgspec
import pytest

from worker.errors import Forbidden, Guarded, NotFound
from worker.state.statement import Statement
from worker.state.token_counts import SqlTokenCounts
from worker.state.tokens import SqlTokens
from worker.tokens.document import KnownToken, TokenDocument
from worker.tokens.limits import Window
from worker.tokens.secret import hash_of
from worker.tokens.store import Wanted

A, B = hash_of("a" * 40), hash_of("b" * 40)
_DOCUMENT = Statement("SELECT document FROM worker_tokens WHERE application = :application AND id = :id")
_REWRITE = Statement(
    "UPDATE worker_tokens SET document = :document WHERE application = :application AND id = :id"
)


async def test_a_token_is_found_by_the_hash_of_its_secret(database, clock):
    """With all that was said of it, and when."""
    tokens = SqlTokens(database)
    said = TokenDocument(
        id="shop",
        rights=("send",),
        scopes={"index": ("a", "b")},
        limits=("10/s",),
        expires_at=datetime(2030, 1, 1, tzinfo=UTC),
        metadata={"owner": {"name": "ünï\0", "n": 1.5}},
    )
    assert await tokens.put(said, A, renew=False) == (True, True)
    at = datetime.fromtimestamp(clock(), UTC)
    [held] = await tokens.find([B, A])
    assert held.secret_hash == A
    shown = {name: getattr(held.token, name) for name in TokenDocument.__struct_fields__}
    assert TokenDocument(**shown) == said
    assert (held.token.created_at, held.token.updated_at, held.token.used_at) == (at, at, None)
    clock.advance(5)
    await tokens.used({"shop": clock(), "gone": clock()})
    await tokens.used({"shop": clock() - 3})
    assert (await tokens.get("shop")).used_at == datetime.fromtimestamp(clock(), UTC)
    assert await tokens.get("nope") is None


async def test_a_token_keeps_its_secret_unless_it_is_renewed(database, clock):
    """The rest is replaced as a whole; when it was made stays."""
    tokens = SqlTokens(database)
    await tokens.put(TokenDocument(id="shop", messages=("A",)), A, renew=False)
    began = clock()
    clock.advance(9)
    assert await tokens.put(TokenDocument(id="shop"), B, renew=False) == (False, False)
    [held] = await tokens.find([A, B])
    assert (held.secret_hash, held.token.messages) == (A, ())
    assert (held.token.created_at.timestamp(), held.token.updated_at.timestamp()) == (began, began + 9)
    assert await tokens.put(TokenDocument(id="shop"), B, renew=True) == (False, True)
    assert [one.secret_hash for one in await tokens.find([A, B])] == [B]


async def test_two_tokens_never_have_one_secret(database):
    """A call that shows it would be made by one of them, and it could not be told by which."""
    tokens = SqlTokens(database)
    await tokens.put(TokenDocument(id="one"), A, renew=False)
    with pytest.raises(Guarded, match="another token has this secret"):
        await tokens.put(TokenDocument(id="two"), A, renew=False)
    await tokens.put(TokenDocument(id="two"), B, renew=False)
    with pytest.raises(Guarded):
        await tokens.put(TokenDocument(id="two"), A, renew=True)


async def test_tokens_are_in_use_for_good(database):
    """Also when the last one is gone, and where none was ever stored, but one was configured."""
    tokens = SqlTokens(database)
    assert not await tokens.in_use()
    await tokens.put(TokenDocument(id="one"), A, renew=False)
    assert await tokens.in_use()
    await tokens.remove("one")
    assert await tokens.in_use()
    assert await tokens.all() == []


async def test_that_configured_tokens_were_in_use_is_noted_once(database):
    tokens = SqlTokens(database)
    await tokens.mark_in_use()
    await tokens.mark_in_use()
    assert await tokens.in_use()


async def test_what_may_not_be_touched_stays(database):
    """``allows`` is asked within the transaction, about the token that stands there; all of them stay where one may not go."""
    tokens = SqlTokens(database)
    for name, secret in (("high", A), ("low", B)):
        await tokens.put(TokenDocument(id=name), secret, renew=False)

    def not_high(token: KnownToken) -> None:
        if token.id == "high":
            raise Forbidden("no")

    for refused in (
        lambda: tokens.put(TokenDocument(id="high"), hash_of("c"), renew=True, allows=not_high),
        lambda: tokens.remove("high", allows=not_high),
        lambda: tokens.remove_all(allows=not_high),
    ):
        with pytest.raises(Forbidden):
            await refused()
    assert [one.id for one in await tokens.all()] == ["high", "low"]
    assert len(await tokens.find([A, B])) == 2
    await tokens.remove("low", allows=not_high)
    with pytest.raises(NotFound, match="'low'"):
        await tokens.remove("low", allows=not_high)
    assert await tokens.remove_all() == 1


async def test_applications_on_one_database_have_tokens_of_their_own(database, connect):
    """The same id and the same secret mean another token there; none may be in use there at all."""
    other = SqlTokens(await connect(application="mail"))
    tokens = SqlTokens(database)
    await tokens.put(TokenDocument(id="shop", rights=("*",)), A, renew=False)
    assert not await other.in_use()
    assert (await other.find([A]), await other.get("shop")) == ([], None)
    await other.put(TokenDocument(id="shop", rights=()), A, renew=False)
    assert [one.token.rights for one in await other.find([A])] == [()]
    assert await other.remove_all() == 1
    assert [one.token.rights for one in await tokens.find([A])] == [("*",)]


async def test_two_who_store_one_token_at_once_make_one(database, connect):
    """One of them has made it, and its secret holds."""
    tokens, beside = SqlTokens(database), SqlTokens(await connect())
    first, second = await asyncio.gather(
        tokens.put(TokenDocument(id="shop"), A, renew=False),
        beside.put(TokenDocument(id="shop"), B, renew=False),
    )
    assert sorted([first.created, second.created]) == [False, True]
    [held] = await tokens.find([A, B])
    assert held.secret_hash == (A if first.created else B)


async def test_counts_are_added_as_long_as_they_stay_within_the_limit(database, connect, clock):
    """By all processes together, each limit for itself; windows that ended long ago are forgotten, all time never."""
    counts, beside = SqlTokenCounts(database), SqlTokenCounts(await connect())
    now = int(clock())
    second = Window(now, now + 1.0)
    both = [Wanted("", Window(0, None), 2, 5), Wanted("s", second, 2, 3)]
    assert await counts.take("shop", both) == [2, 2]
    assert await beside.take("shop", both) == [4, None]
    assert await beside.take("shop", [Wanted("s", second, 1, 3)]) == [3]
    assert await counts.take("mail", [Wanted("s", second, 4, 3), Wanted("s", second, 3, 3)]) == [None, 3]
    clock.advance(2 * 3600)
    await counts.prune()
    assert await counts.take("shop", [Wanted("s", second, 3, 3), Wanted("", Window(0, None), 1, 5)]) == [3, 5]


async def test_what_a_removed_token_has_sent_is_forgotten(database):
    """One of its name that is made later begins anew; other applications' counts stay."""
    tokens, counts = SqlTokens(database), SqlTokenCounts(database)
    await tokens.put(TokenDocument(id="shop"), A, renew=False)
    one = [Wanted("", Window(0, None), 1, 1)]
    assert await counts.take("shop", one) == [1]
    assert await counts.take("shop", one) == [None]
    await tokens.remove("shop")
    assert await counts.take("shop", one) == [1]


async def _written_by_a_later_version(database, id, **members):
    """Write into a stored token's document what this version does not know."""
    async with database.begin_write() as transaction:
        row = await transaction.first(_DOCUMENT, id=id)
        document = msgspec.json.decode(row["document"]) | members
        await transaction.run(_REWRITE, id=id, document=msgspec.json.encode(document).decode())


async def test_of_a_token_that_a_later_version_wrote_is_read_what_is_known(database):
    """Processes of both run during a deploy. A right that is not known allows nothing here."""
    tokens = SqlTokens(database)
    await tokens.put(TokenDocument(id="new", messages=("A",)), A, renew=False)
    await tokens.put(TokenDocument(id="old"), B, renew=False)
    await _written_by_a_later_version(database, "new", rights=["send", "teleport"], colour="red")
    new, old = sorted((held.token for held in await tokens.find([A, B])), key=lambda token: token.id)
    assert (new.rights, new.messages, old.id) == (("send",), ("A",), "old")
    assert (await tokens.get("new")).rights == ("send",)
    assert [token.id for token in await tokens.all()] == ["new", "old"]
    await tokens.remove("new")
    assert [token.id for token in await tokens.all()] == ["old"]


@pytest.mark.parametrize("members", [{"rights": "all"}, {"limits": {"per": "s"}}, {"expires_at": "never"}])
async def test_a_token_that_cannot_be_read_is_refused_and_its_neighbours_are_not(database, capsys, members):
    """It is not known what it may do, so it may do nothing. The log names it."""
    tokens = SqlTokens(database)
    await tokens.put(TokenDocument(id="new"), A, renew=False)
    await tokens.put(TokenDocument(id="old"), B, renew=False)
    await _written_by_a_later_version(database, "new", **members)
    assert [held.token.id for held in await tokens.find([A, B])] == ["old"]
    assert await tokens.get("new") is None
    assert [token.id for token in await tokens.all()] == ["old"]


async def test_only_who_may_do_everything_touches_a_token_that_cannot_be_read(database):
    """It may have more rights than the caller."""
    tokens = SqlTokens(database)
    await tokens.put(TokenDocument(id="new", rights=("send",)), A, renew=False)
    await _written_by_a_later_version(database, "new", rights="all")
    asked = []
    with pytest.raises(Forbidden):
        await tokens.remove("new", allows=_refusing(asked))
    with pytest.raises(Forbidden):
        await tokens.put(TokenDocument(id="new"), A, renew=False, allows=_refusing(asked))
    assert [(token.id, token.rights) for token in asked] == [("new", ("*",))] * 2
    await tokens.remove("new", allows=lambda token: None)
    assert await tokens.all() == []


def _refusing(asked):
    def refuse(token):
        asked.append(token)
        raise Forbidden("no")

    return refuse


@pytest.mark.parametrize("id", ["a\0b", "\ud800", "", "x" * 5_000])
async def test_what_can_be_no_id_is_no_tokens(database, id):
    """Also where the database could not even be asked for it."""
    tokens = SqlTokens(database)
    assert await tokens.get(id) is None
    with pytest.raises(NotFound):
        await tokens.remove(id)

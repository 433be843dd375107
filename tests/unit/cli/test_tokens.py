"""tokens add, list, remove: what is sent, what is printed, and with which code it ends."""

import time
from datetime import timedelta

import msgspec
import pytest

from worker import App, Post
from worker.tokens.document import TokenDocument
from worker.tokens.secret import hash_of


class Find(msgspec.Struct, frozen=True):
    index: str


SECRET = "cwt_" + "A" * 43


def test_a_new_token_is_printed_once_and_alone(worker, service):
    """So that a script can take it; what is sent has its hash."""
    page = worker("tokens", "add", "shop")
    assert (page.code, page.out, page.err) == (0, f"{SECRET}\n", "")
    [sent] = service.token_messages
    assert (sent.token, sent.secret_hash, sent.renew) == (TokenDocument(id="shop"), hash_of(SECRET), False)
    assert service.asked_tables == "create"


def test_one_that_exists_keeps_its_secret(worker, service):
    """Unless --renew is said; the document is replaced either way."""
    worker("tokens", "add", "shop", "--right", "send")
    page = worker("tokens", "add", "shop")
    assert (page.code, page.out, page.err) == (0, "", "changed shop; its secret is as it was\n")
    assert service.tokens["shop"].rights == TokenDocument(id="shop").rights
    assert worker("tokens", "add", "shop", "--json").json == {"id": "shop", "secret": None}
    assert worker("tokens", "add", "shop", "--renew", "--json").json == {"id": "shop", "secret": SECRET}


def test_all_that_a_token_may_be_is_said_by_options(worker, service):
    """Each may come several times; a scope's values stand in one, or in several."""
    before = time.time()
    worker(
        "tokens", "add", "books", "--right", "send", "--right", "failed.read", "--message", "catalog.*",
        "--scope", "index=a,b", "--scope", "index=c", "--scope", "region=", "--plugin", "published",
        "--limit", "10/s", "--limit", "1K", "--referrer", "*.example.com", "--expires-in", "1h",
    )  # fmt: skip
    token = service.tokens["books"]
    assert token.rights == ("send", "failed.read")
    assert token.messages == ("catalog.*",)
    assert token.scopes == {"index": ("a", "b", "c"), "region": ()}
    assert (token.plugins, token.limits, token.referrers) == (
        ("published",),
        ("10/s", "1K"),
        ("*.example.com",),
    )
    assert (
        timedelta(0)
        <= token.expires_at - token.expires_at.fromtimestamp(before + 3600, token.expires_at.tzinfo)
        < timedelta(minutes=10)
    )


def test_a_scope_that_nothing_has_is_warned_of(worker, service, monkeypatch):
    """A misspelt one would let the token reach everything; it is stored all the same, as the application may grow."""
    app = App("shop")
    app.query(scopes={"index": "index"})(Find)

    @app.handler
    async def find(query: Find) -> str: ...

    @app.resource(scopes={"reader": "reader"}, operations=[Post(persist=False)])
    class Loan(msgspec.Struct):
        reader: str

    monkeypatch.setattr(service, "load_app", lambda target, base: app)
    page = worker(
        "tokens", "add", "shop", "--scope", "indx=books", "--scope", "index=a", "--scope", "reader=b"
    )
    assert (page.code, page.out) == (0, f"{SECRET}\n")
    assert page.err == (
        "Warning: --scope indx: no message or resource has it, so it keeps the token from nothing; "
        "did you mean 'index'?\n"
    )
    assert service.tokens["shop"].scopes["indx"] == ("books",)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a b"], "/id"),
        (["a", "--scope", "index"], "--scope 'index': expected NAME=VALUE,VALUE"),
        (["a", "--right", "fly"], "'fly' is not one of"),
        (["a", "--message", "a b"], "/messages/0"),
        (["a", "--expires-in", "soon"], "soon"),
        ([], "ID"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(worker, service, words, said):
    """Code 2, and it says what is wrong."""
    page = worker("tokens", "add", *words)
    assert page.code == 2
    assert said in page.err
    assert service.token_messages == []


def test_the_list_shows_what_they_may_do(worker):
    """Whole documents with --json."""
    assert worker("tokens", "list").out == "there is no token\n"
    worker("tokens", "add", "shop", "--scope", "index=a,b", "--limit", "10/s")
    page = worker("tokens", "list")
    assert "index=a,b" in page.out and "10/s" in page.out and "shop" in page.out
    [item] = worker("tokens", "list", "--json").json["items"]
    assert (item["id"], item["ttl"], item["scopes"]) == ("shop", 60, {"index": ["a", "b"]})
    assert not any("secret" in name for name in item)


def test_tokens_are_removed_when_that_is_confirmed(worker, service):
    """Known ones go, and an unknown one makes code 4; --all takes all."""
    for name in ("a", "b", "c", "d"):
        worker("tokens", "add", name)
    assert worker("tokens", "remove", "a").code == 5
    assert "a" in service.tokens
    page = worker("tokens", "remove", "a", "nope", "b", "--yes")
    assert page.code == 4
    assert "'nope'" in page.err
    assert list(service.tokens) == ["c", "d"]
    assert worker("tokens", "remove", "c", "--yes").out == "1 token removed\n"
    assert worker("tokens", "remove", "--all", "--yes", "--json").json == {"removed": 1}


@pytest.mark.parametrize("words", [[], ["a", "--all"]])
def test_what_to_remove_is_said_in_one_way(worker, words):
    """IDs or --all, and never by saying nothing."""
    assert worker("tokens", "remove", *words, "--yes").code == 2

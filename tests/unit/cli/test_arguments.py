"""Arguments and files that are not what they should be: a clear error each, exit 2."""

from __future__ import annotations

import os

import pytest

BAD = os.fsdecode(b"a\xff")


@pytest.mark.parametrize(
    "arguments",
    [
        ("send", BAD),
        ("send", "PlaceOrder", BAD),
        ("send", "PlaceOrder", f"order_id={BAD}"),
        ("send", "PlaceOrder", f"@{BAD}"),
        ("send", "PlaceOrder", "order_id=7", "--key", BAD),
        ("failed", "list", "--type", BAD),
        ("failed", "show", BAD),
        ("failed", "edit", "a", "--data", BAD),
        ("pause", "PlaceOrder", "--reason", BAD),
        ("--config", f"{BAD}.toml", "check"),
        (BAD,),
    ],
)
def test_an_argument_that_is_not_utf_8_is_named_and_refused(worker, service, arguments):
    """Whatever it stands for; it is shown with its bytes escaped."""
    page = worker(*arguments)
    assert page.code == 2
    assert "not UTF-8" in page.err and "\\udcff" in page.err
    assert service.sent == []


def test_the_path_of_a_file_may_hold_any_bytes(worker, service, tmp_path):
    """A file that is there is read, whatever its name."""
    (tmp_path / BAD).mkdir()
    (tmp_path / BAD / "order.json").write_text('{"order_id": "7"}')
    assert worker("send", "PlaceOrder", f"@{BAD}/order.json").code == 0
    assert service.sent[0].message.order_id == "7"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xff\xfe", "not JSON|malformed|UTF-8"),
        (b"\xef\xbb\xbf{}", "malformed"),
        (b"\x00", "malformed"),
        (b"[" * 100_000, "deeply"),
        (b'{"order_id": "\xff"}', "UTF-8"),
        (b'{"order_id": "7", "count": 1e400}', "count|range"),
        (b'{"order_id": "7", "count": ' + b"9" * 5000 + b"}", "count|range|int"),
        (b'{"order_id": "7", "count": NaN}', "malformed"),
        (b"", "empty"),
    ],
)
def test_a_file_that_holds_no_message_says_what_it_is(worker, service, tmp_path, data, said):
    """Binary, cut, too deep, out of range."""
    (tmp_path / "data").write_bytes(data)
    for arguments in (("send", "PlaceOrder", "@data"), ("failed", "edit", "a", "--data", "@data")):
        page = worker(*arguments)
        if arguments[0] == "send" or b"order_id" not in data or b"\xff" in data or b"NaN" in data:
            assert page.code == 2, arguments
        assert "Traceback" not in page.err and "log-level debug" not in page.err, page.err
    assert service.sent == []


@pytest.mark.parametrize("name", [".", "missing.json"])
def test_a_file_that_is_none_is_named(worker, name):
    """A folder, a file that is not there."""
    for arguments in (
        ("send", "PlaceOrder", f"@{name}"),
        ("failed", "edit", "a", "--data", f"@{name}"),
        ("send", "--ndjson", name),
    ):
        page = worker(*arguments)
        assert (page.code, f"{name}: cannot be read" in page.err) == (2, True), page.err

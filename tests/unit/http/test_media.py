"""What is read and written is agreed upon as HTTP says: by weight, then by name."""

import pytest

from worker.http.media import MediaTypes, answer_media, media_of
from worker.http.problems import Problem

THREE = MediaTypes(
    {
        "json": ("application/json",),
        "msgpack": ("application/msgpack", "application/x-msgpack"),
        "json_ld": ("application/ld+json",),
    }
)


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, "json"),
        (b"*/*", "json"),
        (b"application/*", "json"),
        (b"application/ld+json", "json_ld"),
        (b"APPLICATION/LD+JSON", "json_ld"),
        (b"application/x-msgpack", "msgpack"),
        (b"application/json;q=0.5, application/ld+json;q=0.8", "json_ld"),
        (b"application/json;q=0.5,application/*", "msgpack"),
        (b"*/*;q=0.1, application/ld+json; q=0.2", "json_ld"),
        (b"application/ld+json, application/json", "json_ld"),
        (b"application/json, application/ld+json", "json"),
        (b"*/*, application/msgpack", "msgpack"),
        (b"application/json;q=0, */*", "msgpack"),
        (b'application/ld+json;profile="a,b;q=0"', "json_ld"),
        (b"text/html, application/xhtml+xml, */*;q=0.8", "json"),
        (b"text/html, application/ld+json;q=0.001", "json_ld"),
        (b"text/html", None),
        (b"", None),
        (b",;=,", None),
        (b'"', None),
        (b"application/json;q=0", None),
        (b"application/json;q=none", None),
        (b"application/json;q=nan", None),
        (b"application/json;q=-1", None),
        (b"application/json;q=1e9", None),
        (b"*/json", None),
    ],
)
def test_what_weighs_most_is_chosen_and_the_named_before_the_rest(accept, chosen):
    assert THREE.chosen(accept) == chosen


def test_of_a_list_without_end_no_more_is_read_than_somebody_could_mean():
    assert THREE.chosen(b"application/ld+json," + b"a/b," * 100_000) == "json_ld"
    assert THREE.chosen(b"a/b," * 64 + b"application/json") is None
    assert THREE.chosen(b'"' * 1_000_001) is None


def test_nothing_that_would_do_is_refused_with_a_list_of_what_there_is():
    with pytest.raises(Problem) as raised:
        THREE.demanded(b"text/html")
    assert raised.value.status == 406
    assert "application/json, application/msgpack, application/ld+json" in raised.value.detail


def test_what_cannot_be_read_is_refused_with_a_list_of_what_can():
    with pytest.raises(Problem) as raised:
        THREE.read(b"text/html")
    assert raised.value.status == 415
    assert ("Accept", THREE.listed) in raised.value.headers
    assert THREE.listed in raised.value.detail


@pytest.mark.parametrize(
    ("content_type", "read"),
    [
        (None, "json"),
        (b"application/json; charset=UTF-8", "json"),
        (b"application/ld+json;profile=x", "json_ld"),
    ],
)
def test_parameters_of_a_content_type_make_no_difference(content_type, read):
    assert THREE.read(content_type) == read


def test_a_body_in_another_character_set_is_not_read():
    with pytest.raises(Problem):
        media_of(b"application/json; charset=latin-1")


@pytest.mark.parametrize("accept", [None, b"text/html", b"application/msgpack;q=0", b"application/ld+json"])
def test_the_intake_itself_answers_in_json_rather_than_not_at_all(accept):
    assert answer_media(accept) == "json"


def test_the_intake_itself_answers_in_messagepack_where_that_weighs_more():
    assert answer_media(b"application/json;q=0.1, application/vnd.msgpack") == "msgpack"

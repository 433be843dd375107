"""Services and their tags: what a document says about steps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from worker.chain.conditions import text_of
from worker.chain.files.dialect import Items, Node, Scalar, Table
from worker.suggestion import hint

TAG = "oro.api.processor"
"""Name of the tag that makes a service a step."""

_OWN = ("name", "action", "group", "priority")
_KEYS = ("class", "tags")
_IGNORED = ("public", "lazy", "shared")
"""They say nothing here: a step is made when it first applies, once."""
_WHOLE = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d{1,15}\.\d{1,15}", re.ASCII)
_CASE = re.compile(r"(?<=[a-z0-9])([A-Z])")


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One tag of one service: an entry in a chain."""

    service: str
    cls: str
    cls_line: int
    action: str | None
    group: str | None
    priority: int
    when: dict[str, object]
    line: int


class At(msgspec.Struct, frozen=True):
    """Something that is wrong, and the line where it stands."""

    line: int
    what: str


def services_in(document: Node | None) -> Iterator[Said | At]:
    """Read all tags of all services, and what is wrong with them."""
    if document is None:
        return
    if not isinstance(document, Table):
        yield At(document.line, "expected a table with the key services")
        return
    for key, value in document.entries.items():
        if key.text != "services":
            yield At(key.line, f"unknown key {key.text!r}; expected services alone")
        elif isinstance(value, Table):
            for service, said in value.entries.items():
                yield from _of_service(service, said)
        elif not _is_empty(value):
            yield At(value.line, "services: expected a table of services by name")


def _of_service(service: Scalar, said: Node) -> Iterator[Said | At]:
    where = f"service {service.text!r}"
    if not isinstance(said, Table):
        yield At(said.line, f"{where}: expected a table with class and tags")
        return
    for key in said.entries:
        if key.text not in (*_KEYS, *_IGNORED):
            fix = (
                "constructor arguments are not read; give its parameters defaults"
                if key.text == "arguments"
                else f"unknown key {key.text!r}{hint(key.text, _KEYS)}"
            )
            yield At(key.line, f"{where}: {fix}")
    cls, tags = said.get("class"), said.get("tags")
    if cls is not None and not (isinstance(cls, Scalar) and cls.text):
        yield At(cls.line, f"{where}: class: expected package.module.Class")
        return
    if not isinstance(tags, Items) or not tags.items:
        line = service.line if tags is None else tags.line
        yield At(line, f"{where}: tags: expected a list of tags, like - {{ name: {TAG}, action: get }}")
        return
    named = cls if isinstance(cls, Scalar) else service
    for tag in tags.items:
        yield from _of_tag(service.text, named, tag)


def _of_tag(service: str, cls: Scalar, tag: Node) -> Iterator[Said | At]:
    where = f"service {service!r}: tag"
    if not isinstance(tag, Table):
        yield At(tag.line, f"{where}: expected a table, like {{ name: {TAG}, action: get }}")
        return
    values: dict[str, object] = {}
    wrong: list[At] = []
    for key, value in tag.entries.items():
        attribute = key.text if key.text in _OWN else _CASE.sub(r"_\1", key.text).lower()
        if not isinstance(value, Scalar):
            what = f"{key.text}: expected one value; join several by & or by |"
            wrong.append(At(value.line, f"{where}: {what}"))
        elif attribute in values:
            what = f"{key.text!r} and another key are both read as {attribute!r}"
            wrong.append(At(key.line, f"{where}: {what}"))
        elif _is_empty(value):
            wrong.append(At(value.line, f"{where}: {key.text}: has no value; remove it, or write one"))
        else:
            values[attribute] = _value(value)
    name = values.pop("name", None)
    if name != TAG:
        said = "has no name" if name is None else f"is named {name!r}"
        wrong.append(At(tag.line, f"{where} {said}; expected name: {TAG}"))
    priority: Any = values.pop("priority", "0")
    if not _WHOLE.fullmatch(priority):
        wrong.append(At(tag.line, f"{where}: priority: {priority!r}, expected a whole number"))
    if wrong:
        yield from wrong
        return
    yield Said(
        service=service,
        cls=cls.text,
        cls_line=cls.line,
        action=_text(values.pop("action", None)),
        group=_text(values.pop("group", None)),
        priority=int(priority),
        when=values,
        line=tag.line,
    )


def _value(scalar: Scalar) -> str:
    """What conditions compare: ``True`` and ``1.0`` without quotes are ``true`` and ``1``, as values from Python are."""
    text = scalar.text
    if scalar.plain and text.lower() in {"true", "false"}:
        return text.lower()
    return text_of(float(text)) if scalar.plain and _DECIMAL.fullmatch(text) else text


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _is_empty(node: Node) -> bool:
    return isinstance(node, Scalar) and node.plain and node.text.lower() in {"", "~", "null"}

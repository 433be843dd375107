"""The parts of the reference that are made from the code.

They stand between ``<!-- generated: name -->`` and ``<!-- end -->``. Write them anew, from the repository's root, with
``.venv/bin/python -m tests.docs.generated``; a test says when that is due.
"""

from __future__ import annotations

import inspect
import re
import time
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

import worker
from tests.docs.pages import DOCS, ROOT
from transports.registry import create
from worker import App, Context, Retry, errors
from worker.cli.globals import GLOBAL_OPTIONS
from worker.cli.program import program
from worker.http.endpoints import ENDPOINTS
from worker.http.problems import KINDS, URN
from worker.messaging.declaration import MessageType
from worker.messaging.middleware import GROUPS
from worker.messaging.transport import Features
from worker.settings.environment import variable_of
from worker.settings.model import Settings, TransportSettings

REGION = re.compile(r"<!-- generated: (?P<name>[a-z-]+) -->\n.*?<!-- end -->", re.DOTALL)


def table(headers: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    lines = [headers, ["---"] * len(headers), *([cell.replace("|", r"\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def code(value: object) -> str:
    """A value as code; nothing for None."""
    return "" if value is None else f"`{value}`"


def described(owner: Any) -> dict[str, str]:
    """Descriptions of attributes, out of a docstring's ``Attributes`` section."""
    text = inspect.getdoc(owner) or ""
    section = text.partition("Attributes:")[2]
    found = re.findall(r"^    (\w+): (.+(?:\n        .+)*)", section, re.MULTILINE)
    return {name: plain(text) for name, text in found}


def plain(text: str) -> str:
    """Text of a docstring on one line, as Markdown."""
    return re.sub(r"\s+", " ", text).replace("``", "`").strip()


def first(owner: Any) -> str:
    """First paragraph of a docstring."""
    return plain((inspect.getdoc(owner) or "").partition("\n\n")[0])


# --- the command line -----------------------------------------------------------------------------------------------


def commands() -> str:
    """Every command with its options and examples."""
    return "\n\n".join(_sections(program, "worker"))


def _sections(command: click.Command, path: str) -> Iterator[str]:
    context = click.Context(command, info_name=path)
    if not isinstance(command, click.Group) or command.invoke_without_command:
        yield _section(command, context, path)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None and not found.hidden:
                yield from _sections(found, f"{path} {name}")


def _section(command: click.Command, context: click.Context, path: str) -> str:
    usage = " ".join(piece for piece in command.collect_usage_pieces(context) if piece != "[OPTIONS]")
    parts = [
        f"### {path}",
        plain(inspect.cleandoc(command.help or "").replace("\b", "")),
        f"`{path} [OPTIONS] {usage}`".replace(" `", "`"),
    ]
    options = [
        parameter
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden
    ]
    if options:
        parts.append(_options(context, options))
    examples = getattr(command, "examples", "").strip("\n")
    if examples:
        parts.append(f"```text\n{examples}\n```")
    return "\n\n".join(parts)


def _options(context: click.Context, options: list[click.Option]) -> str:
    rows = []
    for option in options:
        record = option.get_help_record(context)
        if record is not None:
            rows.append([code(record[0]), plain(record[1])])
    return table(["option", "means"], rows)


def global_options() -> str:
    """Options that every command takes."""
    return _options(click.Context(program), list(GLOBAL_OPTIONS))


# --- the configuration ----------------------------------------------------------------------------------------------


def settings() -> str:
    """Every key, its variable, its default and what it takes."""
    rows = []
    hints = typing.get_type_hints(Settings, include_extras=True)
    for field in msgspec.structs.fields(Settings):
        if field.name in {"base", "file", "transports", "routing"}:
            continue
        kind = hints[field.name]
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            inner = typing.get_type_hints(kind, include_extras=True)
            for part in msgspec.structs.fields(kind):
                path = (field.name, part.name)
                rows.append(
                    [
                        code(".".join(path)),
                        code(variable_of(path)),
                        _default(part.default),
                        _expected(inner[part.name]),
                    ]
                )
        else:
            rows.append(
                [code(field.name), code(variable_of((field.name,))), _default(field.default), _expected(kind)]
            )
    inner = typing.get_type_hints(TransportSettings, include_extras=True)
    for name in ("url", "lease"):
        variable = f"WORKER_TRANSPORTS__<NAME>__{name.upper()}"
        default = "" if name == "url" else "the transport's own"
        rows.append([code(f"transports.<name>.{name}"), code(variable), default, _expected(inner[name])])
    rows.append(
        [
            "`routing.<type or pattern>`",
            "`WORKER_ROUTING__<pattern>`",
            '`"*" = "sqlite"`',
            "a transport's name or `inline`",
        ]
    )
    return table(["key", "variable", "default", "takes"], rows)


def _default(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, float):
        return f"`{value:g}`" if value < 1e5 else f"`{value:.0f}`"
    return code(value)


def _expected(kind: Any) -> str:
    for part in (kind, *typing.get_args(kind)):
        for meta in getattr(part, "__metadata__", ()):
            if meta.description:
                return str(meta.description)
    return str(kind)


# --- transports -----------------------------------------------------------------------------------------------------

EXAMPLES = {
    "sqlite": "sqlite:///var/queue.db",
    "postgresql": "postgresql://worker:secret@localhost:5432/worker",
    "memory": "memory://",
    "rabbitmq": "amqp://localhost",
    "kafka": "kafka://localhost:9092",
    "sqs": "sqs://eu-west-1",
    "pubsub": "pubsub://my-project",
}
"""An address of each; other schemes are other names for one of them."""


def features() -> str:
    """What each transport can do."""
    made = {
        name: create(name, EXAMPLES[name], {}, base=ROOT, clock=time.time).features
        for name in sorted(EXAMPLES, reverse=True)
    }
    texts = described(Features)
    rows = [
        [code(field), *(_feature(getattr(found, field)) for found in made.values()), texts[field]]
        for field in Features.__struct_fields__
    ]
    return table(["feature", *made, "meaning"], rows)


def _feature(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "any" if value == float("inf") else str(value)


# --- Python ---------------------------------------------------------------------------------------------------------


def declarations() -> str:
    """Options of ``command`` and ``event``."""
    signature = inspect.signature(_overload(App.command))
    texts = described(MessageType)
    rows = [
        [
            code(name),
            code(parameter.default if parameter.default != () else "()"),
            texts.get(name, "wire name; the class name by default"),
        ]
        for name, parameter in signature.parameters.items()
        if name != "self"
    ]
    return table(["option", "default", "meaning"], rows)


def _overload(function: Any) -> Any:
    return typing.get_overloads(function)[1]


def retry() -> str:
    """Fields of ``Retry``."""
    texts = described(Retry)
    return table(
        ["field", "default", "meaning"],
        [
            [code(field.name), code(field.default), texts[field.name]]
            for field in msgspec.structs.fields(Retry)
        ],
    )


def context() -> str:
    """What a handler may ask its context."""
    rows = [["`envelope`", "The message with everything that is known about it."]]
    return table(["member", "meaning"], [*rows, *_members(Context)])


def client() -> str:
    """What may be asked of a client."""
    return table(["call", "meaning"], list(_members(worker.Client)))


def _members(owner: type) -> Iterator[list[str]]:
    for name, member in vars(owner).items():
        if name.startswith("_") or not (isinstance(member, property) or inspect.isfunction(member)):
            continue
        shown = name
        if not isinstance(member, property):
            parameters = list(inspect.signature(member).parameters.values())[1:]
            shown = f"{name}({', '.join(str(part).replace(chr(39), '') for part in parameters)})"
        yield [code(shown), first(member)]


def stamps() -> str:
    """The stamps that applications see."""
    rows = []
    for name in worker.__all__:
        kind = getattr(worker, name)
        if isinstance(kind, type) and issubclass(kind, worker.Stamp) and kind is not worker.Stamp:
            rows.append([code(name), code(kind.name()), "yes" if kind.travels else "no", first(kind)])
    return table(["stamp", "read as", "travels", "meaning"], rows)


def groups() -> str:
    """Groups of middleware."""
    return table(["group", "priority"], [[code(name), str(priority)] for name, priority in GROUPS.items()])


# --- HTTP -----------------------------------------------------------------------------------------------------------


def calls() -> str:
    """Every call, what it does, and the statuses of its answers and problems; a type may be unknown."""
    rows = [
        [
            code(f"{one.method} {one.template}"),
            one.summary,
            code(one.right),
            ", ".join(f"`{status}`" for status in sorted(one.gives)),
            ", ".join(str(status) for status in sorted({*one.problems, *([404] if one.each else [])})),
        ]
        for one in ENDPOINTS
    ]
    return table(["call", "does", "right", "answers", "problems"], rows)


# --- errors ---------------------------------------------------------------------------------------------------------


def error_tree() -> str:
    """The tree of errors, as it stands in the code."""
    tree = (inspect.getdoc(errors) or "").partition("\n\n")[2]
    return f"```text\n{tree}\n```"


def problems() -> str:
    """Kinds of problem documents."""
    return table(
        ["status", "type", "title"], [[str(kind.status), code(URN + kind.slug), kind.title] for kind in KINDS]
    )


MAKERS: dict[str, Callable[[], str]] = {
    "calls": calls,
    "commands": commands,
    "global-options": global_options,
    "settings": settings,
    "features": features,
    "declarations": declarations,
    "retry": retry,
    "client": client,
    "context": context,
    "stamps": stamps,
    "groups": groups,
    "errors": error_tree,
    "problems": problems,
}


def renewed(page: Path) -> str:
    """Text of a page with its generated parts made anew."""
    return REGION.sub(
        lambda found: f"<!-- generated: {found['name']} -->\n{MAKERS[found['name']]()}\n<!-- end -->",
        page.read_text(),
    )


def main() -> None:
    """Write every page's generated parts."""
    for page in sorted(DOCS.rglob("*.md")):
        if REGION.search(page.read_text()):
            page.write_text(renewed(page))


if __name__ == "__main__":
    main()

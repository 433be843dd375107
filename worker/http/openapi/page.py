"""The documentation page: the OpenAPI document as plain HTML, without scripts and without the internet."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from importlib import resources
from typing import Any
from urllib.parse import quote

STYLE = resources.files("worker.http.openapi").joinpath("page.css").read_text()
POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
)
"""The content security policy: the page's own style, nothing else."""

_METHODS = ("get", "post", "put", "patch", "delete")


def page(document: Mapping[str, Any], base: str) -> str:
    """Write the page.

    Args:
        document: the OpenAPI document.
        base: URL of the service, for the lines to try.
    """
    info = document["info"]
    found = list(_entries(document))
    tags = list(dict.fromkeys(tag for _, _, entry in found for tag in entry["tags"]))
    body = []
    for tag in tags:
        body.append(f"<h2>{escape(tag)}</h2>")
        body += [_entry(*one, document, base) for one in found if tag in one[2]["tags"]]
    title = escape(info["title"])
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        f"<h1>{title} <small>{escape(info['version'])}</small></h1><p>{_text(info['description'])}</p>"
        f'<p><a href="/openapi.json">openapi.json</a></p>{"".join(body)}'
        f"<h2>schemas</h2>{_schemas(document)}</body></html>"
    )


def _entries(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                entry = item[method]
                parameters = [*item.get("parameters", []), *entry.get("parameters", [])]
                yield method, path, {**entry, "parameters": parameters}


def _entry(method: str, path: str, entry: Mapping[str, Any], document: Mapping[str, Any], base: str) -> str:
    about = entry.get("description") or ""
    more = f"<p>{_text(about)}</p>" if about and about != entry["summary"] else ""
    return (
        f'<details id="{escape(entry["operationId"])}"><summary><b class="{method}">{method.upper()}</b> '
        f"<code>{escape(path)}</code> <span>{_text(entry['summary'])}</span></summary>{more}"
        f"{_parameters(entry, document)}{_body(entry, document)}"
        f"<h4>Try it</h4><pre>{escape(_curl(method, path, entry, base))}</pre>"
        f"<h4>Answers</h4><table>{_responses(entry, document)}</table></details>"
    )


def _parameters(entry: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    rows = []
    for given in entry["parameters"]:
        parameter = _resolved(given, document)
        need = "required" if parameter["required"] else "optional"
        kind = _kind(parameter.get("schema", parameter.get("content", {})))
        rows.append(
            f"<tr><td><code>{escape(parameter['name'])}</code></td><td>{parameter['in']}, {need}</td>"
            f"<td>{_text(parameter.get('description', ''))} <small>{kind}</small></td></tr>"
        )
    return f'<h4>Parameters</h4><table class="parameters">{"".join(rows)}</table>' if rows else ""


def _body(entry: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    content = entry.get("requestBody", {}).get("content")
    if not content:
        return ""
    schema = _resolved(next(iter(content.values()))["schema"], document)
    return f"<h4>Body</h4><p>{escape(' or '.join(content))}</p><pre>{_pretty(schema)}</pre>"


def _curl(method: str, path: str, entry: Mapping[str, Any], base: str) -> str:
    needed = [p for p in entry["parameters"] if p.get("in") == "query" and p.get("required")]
    query = "?" + "&".join(f"{p['name']}={_example(p)}" for p in needed) if needed else ""
    words = ["curl -i", *([] if method == "get" else [f"-X {method.upper()}"]), f"'{base}{path}{query}'"]
    for media, described in entry.get("requestBody", {}).get("content", {}).items():
        example = described.get("example", {})
        text = example if isinstance(example, str) else json.dumps(example)
        quoted = text.strip().replace("'", "'\\''")
        words.append(f"\\\n  -H 'Content-Type: {media}' \\\n  --data-binary '{quoted}'")
        break
    return " ".join(words)


def _example(parameter: Mapping[str, Any]) -> str:
    """A value to try, as a URL has it; three dots where the schema names none."""
    examples = parameter.get("schema", {}).get("examples")
    return quote(str(examples[0]), safe="") if examples else "…"


def _responses(entry: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    rows = []
    for status, given in entry["responses"].items():
        told = _text(_resolved(given, document)["description"]).replace(" <code>urn:", "<br><code>urn:")
        rows.append(f"<tr><td><b>{escape(status)}</b></td><td>{told}</td></tr>")
    return "".join(rows)


def _schemas(document: Mapping[str, Any]) -> str:
    return "".join(
        f"<details><summary><code>{escape(name)}</code></summary>"
        f'<pre id="schema-{escape(name)}">{_pretty(schema)}</pre></details>'
        for name, schema in document["components"]["schemas"].items()
    )


def _text(told: str) -> str:
    """Prose, with what stands between backticks as code; between two of them, as docstrings often have it, too."""
    return re.sub(r"(`{1,2})([^`]+)\1", r"<code>\2</code>", escape(told))


_BITS = {"minimum": -(2**63), "maximum": 2**63 - 1}
"""Bounds of what databases hold as a whole number: digits that say nothing to a reader."""


def _kind(schema: Mapping[str, Any]) -> str:
    """A parameter's schema in one line: its type, then what else there is to it."""
    parts = [str(schema["type"])] if "type" in schema else []
    bounds = {key: value for key, value in _BITS.items() if schema.get(key) == value}
    if bounds == _BITS:
        parts.append("64 bits")
        schema = {key: value for key, value in schema.items() if key not in _BITS}
    for key, value in schema.items():
        if key not in {"type", "description", "title"}:
            parts.append(
                f"{key} {value if value and isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
            )
    return escape("; ".join(parts))


def _pretty(schema: Any) -> str:
    """A schema as JSON, in which references lead to the schema that they name."""
    text = escape(json.dumps(schema, indent=2, ensure_ascii=False), quote=False)
    return re.sub(r"#/components/schemas/([\w.-]+)", r'<a href="#schema-\1">\g<0></a>', text)


def _resolved(value: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in value:
        return value
    found: Any = document
    for part in value["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)

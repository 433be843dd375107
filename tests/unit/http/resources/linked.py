"""Reads JSON-LD as a program does that knows nothing of this one: contexts are fetched from where the documents say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pyld import jsonld

BASE = "http://library.example"
HYDRA = "http://www.w3.org/ns/hydra/core#"
DOCS = f"{BASE}/docs.jsonld#"


def expanded(document: Any, context: Callable[[str], Mapping[str, Any]], path: str = "/") -> Any:
    """Expand a document that was answered at ``path``; ``context`` returns what is answered at a context's path."""

    def load(url: str, options: Any) -> Any:
        assert url.startswith(BASE + "/"), f"nothing from elsewhere: {url}"
        return {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": url,
                "document": context(url.removeprefix(BASE))}  # fmt: skip

    return jsonld.expand(document, {"base": BASE + path, "documentLoader": load})


def values(node: Mapping[str, Any], name: str) -> list[Any]:
    """The plain values of a property, those of a list in their order."""
    found: list[Any] = []
    for one in node.get(name, []):
        found += one.get("@list", [one])
    return [one.get("@value", one.get("@id")) for one in found]

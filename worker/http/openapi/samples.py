"""Makes an example value from a JSON Schema, for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FORMATS = {
    "date-time": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "time": "12:00:00Z",
    "uuid": "0194b9a0-0000-7000-8000-000000000000",
    "duration": "PT1M",
    "decimal": "1.5",
}
_MAX_DEPTH = 6


def sample(schema: Mapping[str, Any], components: Mapping[str, Any], depth: int = 0) -> Any:
    """Return a small value that fits the schema, as far as that can be told."""
    if "$ref" in schema:
        return sample(components.get(schema["$ref"].rpartition("/")[2], {}), components, depth + 1)
    for known in ("const", "default"):
        if known in schema:
            return schema[known]
    for several in ("examples", "enum"):
        if schema.get(several):
            return schema[several][0]
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            members = [member for member in schema[choice] if member.get("type") != "null"]
            return sample(members[0], components, depth + 1) if members else None
    return _of_type(schema, components, depth)


def _of_type(schema: Mapping[str, Any], components: Mapping[str, Any], depth: int) -> Any:
    match schema.get("type"):
        case "object":
            if depth > _MAX_DEPTH:
                return {}
            properties = schema.get("properties", {})
            return {
                name: sample(properties[name], components, depth + 1)
                for name in schema.get("required", ())
                if name in properties
            }
        case "array":
            items = schema.get("prefixItems") or [schema.get("items")]
            return [sample(item, components, depth + 1) for item in items if item and depth <= _MAX_DEPTH]
        case "integer" | "number":
            low = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
            return min(low, schema["maximum"]) if "maximum" in schema else low
        case "boolean":
            return True
        case "string":
            text = _FORMATS.get(schema.get("format", ""), "text")
            if schema.get("contentEncoding") == "base64":
                return "dGV4dA=="
            return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength", 100)]
        case _:
            return None

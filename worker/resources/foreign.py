"""Fields of Pydantic models whose types only Pydantic reads: other models, addresses, and what holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from msgspec import Meta, inspect


def is_foreign(hint: Any) -> bool:
    """Tell whether an annotation names, anywhere, what msgspec does not read by itself."""
    try:
        return any(isinstance(one, inspect.CustomType) for one in _within(inspect.type_info(hint), set()))
    except (TypeError, NameError):
        return True


class Foreign:
    """Reads and writes the values of one such field.

    Args:
        hint: the field's annotation.

    Attributes:
        annotation: what stands for it where msgspec reads and describes: anything, with Pydantic's own schema.
    """

    def __init__(self, hint: Any) -> None:
        from pydantic import TypeAdapter  # whose models these are

        self._adapter: Any = TypeAdapter(hint)
        self.annotation: Any = Annotated[Any, Meta(extra_json_schema=self._schema())]

    def read(self, value: Any) -> Any:
        """Make of data what the field holds; what does not fit stays as it is, to be told when it is asked."""
        try:
            return self._adapter.validate_python(value)
        except ValueError:
            return value

    def written(self, value: Any) -> Any:
        """Make data of what the field holds."""
        return self._adapter.dump_python(value, mode="json", by_alias=True, warnings=False)

    def _schema(self) -> dict[str, Any]:
        try:
            schema: dict[str, Any] = self._adapter.json_schema()
        except ValueError:  # it has none
            return {}
        definitions = schema.pop("$defs", {})
        found: dict[str, Any] = _written_out(schema, definitions, ())
        return found


def _within(found: Any, seen: set[int]) -> Iterator[Any]:
    if id(found) in seen:
        return
    if isinstance(found, list | tuple):
        for one in found:
            yield from _within(one, seen)
    elif isinstance(found, inspect.Type | inspect.Field):
        seen.add(id(found))
        yield found
        for name in found.__struct_fields__:
            yield from _within(getattr(found, name), seen)


def _written_out(schema: Any, definitions: Mapping[str, Any], within: tuple[str, ...]) -> Any:
    """A schema with everything that it refers to written out; anything, where that names itself."""
    if isinstance(schema, list):
        return [_written_out(one, definitions, within) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    if name:
        return {} if name in within else _written_out(definitions.get(name, {}), definitions, (*within, name))
    return {key: _written_out(value, definitions, within) for key, value in schema.items()}

"""Schemas for OpenAPI that stand alone: bodies and answers that the framework does not see."""

from typing import Any

from pydantic import BaseModel


def schema(model: type[BaseModel]) -> dict[str, Any]:
    """The model's JSON Schema with what it refers to written out in place.

    References of a schema that is put somewhere inside a document would point at the document's
    root. Models that hold themselves have no such schema.
    """
    whole = model.model_json_schema()
    parts = whole.pop("$defs", {})

    def written_out(node: Any) -> Any:
        if isinstance(node, dict):
            name = node.get("$ref")
            if isinstance(name, str):
                return written_out(parts[name.removeprefix("#/$defs/")])
            return {key: written_out(value) for key, value in node.items()}
        return [written_out(one) for one in node] if isinstance(node, list) else node

    described: dict[str, Any] = written_out(whole)
    return described

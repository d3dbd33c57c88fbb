"""Reading a payload into its model, and saying of each wrong field what is wrong."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from app.kernel.errors import Invalid


class Request(BaseModel):
    """A request's body or query: camelCase on the wire, nothing unknown, no coercion between JSON types."""

    model_config = ConfigDict(
        extra="forbid", alias_generator=to_camel, populate_by_name=False, strict=True, frozen=True
    )


R = TypeVar("R", bound=Request)


def parse(model: type[R], payload: object) -> R:
    """Read a payload into its model; raises Invalid naming each wrong field."""
    if not isinstance(payload, dict):
        raise Invalid({"body": ["must be an object"]})
    try:
        return model.model_validate(payload)
    except ValidationError as error:
        raise Invalid(_fields(error)) from None


def _fields(error: ValidationError) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for problem in error.errors(include_url=False, include_context=True, include_input=False):
        name = ".".join(str(part) for part in problem["loc"]) or "body"
        fields.setdefault(name, []).append(_sentence(problem))
    return fields


def _sentence(problem: Any) -> str:
    known = {"missing": "is required", "extra_forbidden": "is not a known field", "string_type": "must be a string"}
    if problem["type"] in known:
        return known[problem["type"]]
    return str(problem["msg"]).removeprefix("Value error, ")

"""Random payloads: any JSON at all, and bodies that are nearly right."""

from __future__ import annotations

import uuid
from typing import Any

from hypothesis import strategies as st

from app.kernel import query as query_models, requests as wire
from app.kernel.parsing import Request

# Lone surrogates and NUL included: JSON can carry both.
words = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4), max_leaves=12
)
MODELS = sorted(
    {
        model
        for model in vars(wire).values()
        if isinstance(model, type) and issubclass(model, Request) and model not in (Request, query_models.Query)
    },
    key=lambda model: model.__name__,
)
likely = st.sampled_from(
    ["", " ", "x", "x" * 4001, "a\x00b", "\ud800", "ann", "lobby", "👍", "-1", str(uuid.UUID(int=7)), "text", "group"]
)


def bodies_for(model: type[Request], known: dict[str, st.SearchStrategy[Any]] | None = None) -> st.SearchStrategy[Any]:
    """Make bodies with a model's own field names; ``known`` gives values that are right for some of them."""
    names = [field.alias or name for name, field in model.model_fields.items()]
    values = {name: (known or {}).get(name, st.nothing()) | likely | anything for name in names}
    extra = st.dictionaries(words, scalars, max_size=1)
    return st.builds(lambda body, more: {**more, **body}, st.fixed_dictionaries({}, optional=values), extra)

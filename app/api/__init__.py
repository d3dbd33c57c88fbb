"""REST: parse, find the actor, call one verb, return. ``endpoint.py`` has what all calls share."""

from __future__ import annotations

from flask import Flask

from app.api import (
    accounts,
    bots,
    conversations,
    customers,
    docs,
    messages,
    operations,
    people,
    pictures,
    presence,
    rooms,
    search,
    sharing,
    subscriptions,
    uploads,
)
from app.api.endpoint import api, id_converter


def register(app: Flask) -> None:
    """Put every call on the application."""
    for module in (
        accounts,
        people,
        pictures,
        bots,
        conversations,
        customers,
        rooms,
        messages,
        uploads,
        search,
        sharing,
        presence,
        subscriptions,
        docs,
    ):
        assert module.__doc__  # imported for its routes
    app.url_map.converters["id"] = id_converter()
    app.register_blueprint(api)
    app.register_blueprint(operations.operations)

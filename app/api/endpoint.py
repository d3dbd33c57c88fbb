"""What every REST call shares: credential, body, query, ids, envelope, in the order of checks that the contract names."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from flask import Blueprint, Response, g, request
from werkzeug.routing import BaseConverter

from app.domain import sessions
from app.kernel import clock, limits, query as query_models, requests as wire, text
from app.kernel.actor import Actor
from app.kernel.errors import DomainError, Forbidden, Invalid, Malformed, NotFound, TooLarge, Unauthenticated
from app.kernel.forms import Form
from app.kernel.ids import parse_id
from app.kernel.json import loads
from app.outbound import metrics

api = Blueprint("api", __name__, url_prefix="/api", template_folder="templates")
COOKIE = "parley_session"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
Verb = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One REST call, as registered; ``/api/openapi.json`` is made from these."""

    method: str
    rule: str
    verb: Verb
    body: type[wire.Request] | None
    query: type[query_models.Query]
    data: str
    public: bool
    made: bool
    customers: bool = False

    @property
    def takes_form(self) -> bool:
        """Tell whether the verb reads a form itself, as it comes."""
        return self.body is not None and issubclass(self.body, Form)

    @property
    def needs_body(self) -> bool:
        """Tell whether it says nothing without a body; a call that ends something may leave it out, as proxies do."""
        return self.method != "DELETE" and self.data != "Ended"


CALLS: list[Call] = []
ID = re.compile(r"<(\w+_id)>")


def id_converter() -> type[BaseConverter]:
    """Make what an id in a path is matched by: anything but the words of other paths.

    Else a known path with a method that it does not have (PATCH /messages/unread-count) would be taken for a message.
    """
    words = {word for call in CALLS for word in call.rule.split("/") if word and "<" not in word}
    taken = "|".join(map(re.escape, sorted(words)))
    return type("IdConverter", (BaseConverter,), {"regex": rf"(?!(?:{taken})\Z)[^/]+", "part_isolating": True})


def endpoint(
    method: str,
    rule: str,
    *,
    body: type[wire.Request] | None = None,
    query: type[query_models.Query] = query_models.NoQuery,
    data: str,
    public: bool = False,
    made: bool = False,
    customers: bool = False,
) -> Callable[[Verb], Verb]:
    """Register a verb as a call below ``/api``.

    The verb gets ``actor`` (unless public), ``body``, ``query`` and the ids of its path, and gives data or (data, status).
    ``data`` names the answer's shape in ``api/shapes.py``; ``made`` says that it may answer 201,
    ``customers`` that customers and bots may call it too. A verb that answers with a file gives the whole response.
    """

    def register(verb: Verb) -> Verb:
        call = Call(method, rule, verb, body, query, data, public, made, customers)
        CALLS.append(call)
        name = f"{method.lower()}_{verb.__module__.rsplit('.', 1)[-1]}_{verb.__name__}"
        api.add_url_rule(ID.sub(r"<id:\1>", rule), name, functools.partial(_answer, call), methods=[method])
        return verb

    return register


def _answer(call: Call, **path: str) -> Response:
    arguments: dict[str, Any] = {}
    if not call.public:
        arguments["actor"] = current_actor()
    payload = {} if call.takes_form else _payload(call)
    if call.body is not None and not call.takes_form:
        arguments["body"] = wire.parse(call.body, payload)
    elif payload:
        raise Invalid({name: ["is not a known field"] for name in payload})
    query = _query(call)
    if call.query is not query_models.NoQuery:
        arguments["query"] = query
    arguments |= {name: _path_value(name, value) for name, value in path.items()}
    if not call.public and arguments["actor"].kind != "user" and not call.customers:
        raise Forbidden("This is for people with an account.")
    result = call.verb(**arguments)
    if isinstance(result, Response):
        return result
    answer, status = result if isinstance(result, tuple) else (result, 200)
    return success(answer, status)


def current_actor() -> Actor:
    """Find who calls: the bearer token, else the page's cookie (with its CSRF token where something may change)."""
    header = request.headers.get("Authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated
        return sessions.actor_of_token(token.strip())
    cookie = request.cookies.get(COOKIE)
    if cookie is None:
        raise Unauthenticated
    actor = sessions.actor_of_cookie(cookie)
    if request.method not in SAFE_METHODS and not sessions.csrf_matches(actor, request.headers.get("X-CSRF-Token")):
        raise Forbidden("The page's CSRF token is missing or old; load the page again.")
    return actor


def _payload(call: Call) -> Any:
    if call.method in SAFE_METHODS:
        return {}
    raw = request.get_data(cache=True)
    if request.content_length is None and len(raw) >= limits.BODY_MAX_BYTES:  # read up to there, and cut off
        raise TooLarge("The body is too large.")
    if not raw:
        return {} if call.body is None or not call.needs_body else _refuse_empty(call)
    if request.mimetype != "application/json":
        raise Malformed("The body must be JSON: Content-Type: application/json.")
    try:
        payload = loads(raw)
    except ValueError as error:
        raise Malformed("The body is not JSON.") from error
    if not isinstance(payload, dict):
        raise Invalid({"body": ["must be an object"]})
    return payload


def _refuse_empty(call: Call) -> Any:
    if request.mimetype and request.mimetype != "application/json":
        raise Malformed("The body must be JSON: Content-Type: application/json.")
    raise Malformed(f"{call.method} {request.path} takes a JSON body.")


def _query(call: Call) -> query_models.Query:
    values: dict[str, Any] = {}
    for name, given in request.args.lists():
        if len(given) > 1:
            raise Invalid({name: ["is given more than once"]})
        values[name] = given[0]
    return wire.parse(call.query, values)


def _path_value(name: str, value: str) -> UUID | str:
    if not name.endswith("_id"):
        return _storable(value)
    found = parse_id(value)
    if found is None:
        raise NotFound
    return found


def _storable(value: str) -> str:
    try:
        return text.storable(value)
    except ValueError:
        raise NotFound from None


# envelope -------------------------------------------------------------------------------------------------------------
def success(data: Any, status: int = 200) -> Response:
    """Wrap an answer."""
    return _respond({"success": True, **_common(), "data": data}, status)


def failure(error: DomainError, status: int | None = None) -> Response:
    """Wrap a refusal; ``Retry-After`` in whole seconds where it says when to try again."""
    metrics.error("rest", error.code)
    body = {"success": False, **_common(), "error": {**error.wire(), "requestId": g.get("request_id", "")}}
    response = _respond(body, status or error.status)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
    if error.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _common() -> dict[str, str]:
    return {"version": "v1", "timestamp": clock.wire(clock.now())}


def _respond(body: dict[str, Any], status: int) -> Response:
    response = Response(orjson.dumps(body), status=status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response

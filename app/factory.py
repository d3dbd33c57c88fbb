"""``create_app``: wiring only."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.middleware.proxy_fix import ProxyFix

from app import api, sockets, tasks, web
from app.api.endpoint import failure
from app.domain import (
    announce,
    condition,
    drain,
    healing,
    hearing,
    measuring,
    modes,
    notices,
    presence,
    reading,
    relay,
    remembering,
    startup,
    telling,
    typing,
    unsettled,
    watch,
)
from app.extensions import celery, db, limit_database_waits, migrate, redis, socketio
from app.kernel import json, limits, logs, settings as kernel_settings
from app.kernel.errors import DomainError, Malformed, NotFound, TooLarge
from app.outbound import metrics
from app.outbound.bus import Listener
from app.outbound.fanout import FanoutManager
from app.sockets import connections, direct, notices as socket_notices, rooms, standing, transport

if TYPE_CHECKING:
    from config import Config

log = logging.getLogger(__name__)
SLOW_S = 2.0


@dataclass
class Background:
    """The loops that a serving process runs beside answering."""

    stopping: threading.Event = field(default_factory=threading.Event)
    listener: Listener | None = None


def create_app(config: Config, *, serving: bool = False) -> Flask:
    """Wire an application for a configuration. Nothing is connected to yet and no loop runs.

    ``serving`` says that this process answers clients under the configured kind of event loop; others use plain threads.
    """
    kernel_settings.use(config)
    app = Flask(__name__, static_folder="static", template_folder="templates")
    app.url_map.merge_slashes = False  # a path with an empty part is unknown, not somewhere else
    app.config.update(SECRET_KEY=config.secret_key, MAX_CONTENT_LENGTH=limits.BODY_MAX_BYTES)
    app.extensions["parley_config"] = config
    _bind(app, config)
    _bind_socketio(app, config, config.async_mode if serving else "threading")
    api.register(app)
    web.register(app)
    sockets.register(socketio)
    _bind_requests(app)
    app.extensions["socketio"] = socketio
    app.extensions["celery"] = celery
    app.extensions["background"] = Background()
    return app


def _bind(app: Flask, config: Config) -> None:
    db.bind(config.sqlalchemy_url)
    redis.bind(
        config.redis_url,
        config.message_log_redis_url,
        timeout_s=config.redis_connect_timeout_ms / 1000,
    )
    migrate.init_app(app, db, directory="migrations")
    tasks.bind(celery, config)
    modes.forget()
    unsettled.clear()
    relay.forget()


def _bind_socketio(app: Flask, config: Config, async_mode: str) -> None:
    manager = FanoutManager()
    manager.on_emit = _heard
    manager.on_unpublished = _unpublished
    manager.ear.on_listening = socket_notices.tell_heads_soon
    manager.on_notice = _on_notice
    manager.not_meant = rooms.sids_not_meant
    socketio.init_app(
        app,
        client_manager=manager,
        async_mode=async_mode,
        async_handlers=False,
        manage_session=False,
        json=json,
        cors_allowed_origins=list(config.origins) or None,
        ping_interval=10,
        ping_timeout=5,
        max_http_buffer_size=limits.SOCKET_PACKET_MAX_BYTES,
        transports=["polling", "websocket"] if config.web_concurrency == 1 or config.sticky_proxy else ["websocket"],
        http_compression=False,
        logger=False,
        engineio_logger=False,
    )
    if config.trusted_proxies:
        hops = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]


def _heard(event: str, about: dict[str, Any]) -> None:
    """Note what became final, wherever it was committed."""
    if event == "message:withdrawn":
        unsettled.settled(about["id"])
    elif event in ("message", "message:changed") and about["persisted"]:
        relay.delivered(about)
        if event == "message":
            metrics.emitted(about["conversationId"], about["seq"], about["createdAt"])
            typing.sent(about)
        # The emit of a commit may come after someone has joined the group that it was made in.


def _unpublished(emits: list[tuple[str, dict[str, Any]]]) -> None:
    """Tell the other processes through the database of messages that Redis could not carry."""
    moved = {about["conversationId"]: about["changedSeq"] for _, about in emits if about.get("changedSeq")}
    if moved:
        announce.distrust(moved)


# requests -------------------------------------------------------------------------------------------------------------
def _bind_requests(app: Flask) -> None:
    app.before_request(_name_request)
    app.after_request(_name_response)
    app.register_error_handler(DomainError, _on_refusal)
    app.register_error_handler(HTTPException, _on_http_error)
    app.register_error_handler(Exception, _on_failure)


def _name_request() -> None:
    g.request_id = logs.begin(request.headers.get("X-Request-ID"))
    g.began = time.perf_counter()


def _name_response(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.get("request_id", "")
    _log_request(response)
    return response


def _log_request(response: Response) -> None:
    """Log a request that failed or was slow; all of them where that is asked for. The rule and not the path: that has ids."""
    seconds = time.perf_counter() - g.get("began", time.perf_counter())
    is_notable = response.status_code >= 500 or (seconds > SLOW_S and not request.path.startswith("/socket.io"))
    level = logging.INFO if is_notable else logging.DEBUG
    if log.isEnabledFor(level):
        rule = request.url_rule.rule if request.url_rule else "(no such path)"
        log.log(level, "%s %s: %d in %.0f ms", request.method, rule, response.status_code, seconds * 1000)


def _is_page() -> bool:
    return request.path != "/api" and not request.path.startswith(
        ("/api/", "/healthz", "/readyz", "/metrics", "/socket.io")
    )


def _on_refusal(error: DomainError) -> Any:
    return web.error_page(error.status, error.message) if _is_page() else failure(error)


def _on_http_error(error: HTTPException) -> Any:
    if error.code is None or error.code < 400:
        return error
    if _is_page():
        return web.error_page(error.code, error.description or "")
    if error.code == 413:
        return failure(TooLarge("The body is too large."))
    if error.code in (404, 405):
        return _unknown_call(error)
    return failure(Malformed(error.description or "The request could not be read."))


def _unknown_call(error: HTTPException) -> Response:
    response = failure(NotFound("The call"), error.code)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def _on_failure(_: Exception) -> Any:
    log.exception("a request failed")
    if _is_page():
        metrics.error("page", "internal")
        return web.error_page(500, "Something went wrong here.")
    broken = DomainError("Something went wrong here.")
    broken.code = "internal"
    return failure(broken)


# processes ------------------------------------------------------------------------------------------------------------
def start_web(app: Flask) -> None:
    """Start what a serving process does beside answering; called after it was forked."""
    background: Background = app.extensions["background"]
    background.stopping.clear()
    logs.set_up(kernel_settings.settings())
    metrics.share(kernel_settings.settings().instance_path / "metrics")
    limit_database_waits()
    startup.check()
    _print_mode()
    background.listener = Listener(_on_notice, socket_notices.recheck_soon)
    if redis.url:
        socketio.server.manager_initialized = True
        socketio.server.manager.initialize()  # hears the other processes from the start, not from the first client on
    else:
        socketio.server.manager_initialized = True
    _spawn(background.listener.run)
    hearing.listen_with(background.listener, emits=socketio.server.manager.ear if redis.url else None)
    _spawn(hearing.watch, background.stopping, connections.close_all)
    _spawn(typing.run, background.stopping)
    _spawn(presence.run, background.stopping)
    _spawn(reading.run, background.stopping)
    _spawn(socket_notices.run_rechecks, background.stopping)
    _spawn(transport.sweep, background.stopping)
    _spawn(direct.run_pings, background.stopping)
    _spawn(standing.run, background.stopping)
    _spawn(metrics.run, background.stopping)
    _spawn(condition.run, background.stopping)
    _spawn(watch.guard_stalls, background.stopping)
    _spawn(watch.look_after, background.stopping)
    _spawn(watch.take_over, background.stopping)
    _spawn(remembering.run, background.stopping, watch.is_alone)


def _on_notice(notice: dict[str, Any]) -> None:
    notices.carry_out(notice)
    socket_notices.on_notice(notice)


def _print_mode() -> None:
    mode, why = modes.decide()
    log.warning("write mode %s: %s", mode, why)


def _spawn(loop: Any, *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=loop, args=arguments, daemon=True)
    thread.start()
    return thread


def stop_web(app: Flask, grace_s: float = 10) -> None:
    """Say goodbye: each client is told when to come back, what was accepted gets a moment to be stored."""
    background: Background = app.extensions["background"]
    connections.say_goodbye()
    deadline = time.monotonic() + max(0.5, grace_s - 4)
    while unsettled.all_waiting() and time.monotonic() < deadline:
        time.sleep(0.05)
    telling.finish(at_most_s=1)
    reading.tell_untold(at_once=True)
    background.stopping.set()
    if background.listener is not None:
        background.listener.stopping.set()


def start_worker(_: Flask) -> threading.Event:
    """Start the drain and the healer of a Celery worker; gives the event that stops them."""
    stopping = threading.Event()
    logs.set_up(kernel_settings.settings())
    metrics.share(kernel_settings.settings().instance_path / "metrics")
    limit_database_waits()
    startup.check()
    _print_mode()
    _spawn(drain.run, stopping)
    _spawn(healing.run, stopping)
    _spawn(remembering.run, stopping)
    _spawn(metrics.run, stopping)
    measuring.serve()
    return stopping


__all__ = ["create_app", "start_web", "start_worker", "stop_web"]

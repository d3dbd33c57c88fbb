"""The numbers of ``/metrics``: what the processes of this machine have counted, and what the servers say just now."""

from __future__ import annotations

import time
from collections.abc import Iterator

from app.domain import modes
from app.extensions import CACHE, DATABASE, LOG, redis
from app.kernel.breaker import Down
from app.kernel.settings import settings
from app.live import log, pulse
from app.outbound import metrics
from app.outbound.metrics import Reading


def exposition() -> bytes:
    """Give all numbers in Prometheus' text format; asks Redis, within its short time-outs, and never the database."""
    return metrics.exposition(_readings)


def serve() -> None:
    """Answer scrapes of this process where ``CHAT_WORKER_METRICS_PORT`` says so: a worker serves nothing else."""
    port = settings().worker_metrics_port
    if port is not None:
        metrics.serve(settings().worker_metrics_host, port, _readings)


def _readings() -> Iterator[Reading]:
    yield Reading("write_mode", "1 for the mode in force.", 1, (("mode", modes.decide()[0]),))
    if redis.url:
        yield from _log()
        yield from _memory("log")
        yield from _memory("cache")
        yield from _beat()
    parts = {"database": DATABASE, **({"log": LOG, "cache": CACHE} if redis.url else {})}
    for name, breaker in parts.items():
        words = "1 while this process's last call to a part went through."
        yield Reading("up", words, float(not breaker.has_failed), (("part", name),))


def _log() -> Iterator[Reading]:
    try:
        entries, lag_s = log.standing()
    except Down:
        return
    yield Reading("log_entries", "Accepted messages that wait for the database.", entries)
    yield Reading("drain_lag_seconds", "The age of the oldest of them.", lag_s)


def _memory(which: str) -> Iterator[Reading]:
    try:
        used, most = pulse.memory(which)
    except Down:
        return
    labels = (("redis", which),)
    yield Reading("redis_memory_bytes", "What a Redis has in use.", used, labels)
    yield Reading("redis_memory_max_bytes", "What it may use; 0 for no limit.", most, labels)


def _beat() -> Iterator[Reading]:
    try:
        at = pulse.last_tick()
    except Down:
        return
    if at is not None:
        yield Reading("beat_age_seconds", "Since a scheduled job was last run.", max(0.0, time.time() - at))

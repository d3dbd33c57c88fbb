"""The Celery application, for ``celery -A celery_worker worker`` and ``celery -A celery_worker beat``.

A worker also drains the message log, continuously and from a thread: a task per message could be lost with a killed worker.
"""

from __future__ import annotations

import threading
from typing import Any

from celery import Celery
from celery.signals import worker_ready, worker_shutting_down

from app.factory import create_app, start_worker
from app.kernel.garbage import calm_collector
from config import load_config

flask_app = create_app(load_config())
celery: Celery = flask_app.extensions["celery"]
_stopping: list[threading.Event] = []


@worker_ready.connect  # type: ignore[untyped-decorator]
def _start(**_: Any) -> None:
    _stopping.append(start_worker(flask_app))
    calm_collector()


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _stop(**_: Any) -> None:
    for stopping in _stopping:
        stopping.set()

"""Celery tasks: three-line bodies that call one verb, take ids only, and can be run twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import before_task_publish, setup_logging, task_prerun

from app.kernel import logs
from app.kernel.settings import settings
from app.tasks import correspondence, maintenance

if TYPE_CHECKING:
    from config import Config

# By the clock, not an hour after beat began: one that is often started again would never come to them.
BEAT = {
    "persistence.drain": {"task": "persistence.drain", "schedule": 5.0, "options": {"expires": 5}},
    "conversations.heal": {"task": "conversations.heal", "schedule": 30.0, "options": {"expires": 30}},
    "typing.clean_up": {"task": "typing.clean_up", "schedule": 5.0, "options": {"expires": 5}},
    "presence.flush": {"task": "presence.flush", "schedule": 60.0, "options": {"expires": 60}},
    "support.join_staff": {"task": "support.join_staff", "schedule": 60.0, "options": {"expires": 60}},
    "digests.plan": {"task": "digests.plan", "schedule": 60.0, "options": {"expires": 60}},
    "delivery.fail_gone": {"task": "delivery.fail_gone", "schedule": 10.0, "options": {"expires": 10}},
    "delivery.forget_marks": {
        "task": "delivery.forget_marks",
        "schedule": crontab(minute=7),
        "options": {"expires": 3600},
    },
    "search.take_up": {"task": "search.take_up", "schedule": 5.0, "options": {"expires": 5}},
    "search.take_up_all": {"task": "search.take_up_all", "schedule": 300.0, "options": {"expires": 300}},
    "uploads.clean_up": {"task": "uploads.clean_up", "schedule": crontab(minute=16), "options": {"expires": 3600}},
    "retention.purge": {"task": "retention.purge", "schedule": crontab(minute=25), "options": {"expires": 3600}},
    "retention.clean_up": {"task": "retention.clean_up", "schedule": crontab(minute=34), "options": {"expires": 3600}},
    "letters.send": {"task": "letters.send", "schedule": 10.0, "options": {"expires": 10}},
    "letters.clean_up": {"task": "letters.clean_up", "schedule": crontab(minute=43), "options": {"expires": 3600}},
    "operations.tick": {"task": "operations.tick", "schedule": 5.0, "options": {"expires": 5}},
    "sessions.clean_up": {"task": "sessions.clean_up", "schedule": crontab(minute=52), "options": {"expires": 3600}},
}


def bind(celery: Celery, config: Config) -> None:
    """Configure Celery for this application and put its tasks on it."""
    url = config.redis_url or "memory://"
    celery.conf.update(
        broker_url=url,
        broker_connection_retry_on_startup=True,
        broker_connection_retry=True,
        broker_transport_options={"socket_connect_timeout": 2, "visibility_timeout": 600},
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        beat_schedule=BEAT,
        timezone="UTC",
    )
    maintenance.register(celery)
    correspondence.register(celery)
    before_task_publish.connect(_name)
    task_prerun.connect(_begin)
    setup_logging.connect(_set_up_logs)


def _name(headers: dict[str, Any], **_: Any) -> None:
    """Send the id of what asks for a job along with it, unless it names one itself."""
    headers.setdefault("requestId", logs.current())


def _begin(task: Any, task_id: str, **_: Any) -> None:
    logs.begin(
        getattr(task.request, "requestId", None) or (task.request.get("headers") or {}).get("requestId") or task_id
    )


def _set_up_logs(**_: Any) -> None:
    """Keep Celery from making its own: the worker's and beat's lines look like those of all others."""
    logs.set_up(settings())

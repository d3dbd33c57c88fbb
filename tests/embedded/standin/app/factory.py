import os
import threading
import time

import psycopg2
from celery import Celery
from flask import Flask, jsonify, request
from flask_socketio import SocketIO

from app import extensions

stopping = []


def create_app(config, *, serving=False):
    app = Flask(__name__)
    socketio = SocketIO(app, async_mode=config.async_mode if serving else "threading", cors_allowed_origins="*")
    app.extensions["celery"] = Celery("standin", broker=config.redis_url)
    app.extensions["started"] = False

    @app.get("/readyz")
    def readyz():
        return jsonify(pid=os.getpid(), started=app.extensions["started"])

    @app.get("/slow")
    def slow():
        time.sleep(float(request.args["s"]))
        return "done"

    @app.get("/sql")
    def query():
        with psycopg2.connect(config.database_url) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(%s)", [request.args["s"]])
        return "done"

    @app.get("/offload")
    def offload():
        return str(extensions.offload(lambda a, b: a + b, 1, b=2))

    @app.get("/crash")
    def crash():
        os._exit(3)

    @socketio.on("echo")
    def echo(text):
        return text

    return app


def start_web(app):
    app.extensions["started"] = True


def stop_web(app, grace_s=10):
    print("stand-in: goodbye", flush=True)
    time.sleep(float(os.environ.get("STANDIN_GOODBYE_S", "0")))


def start_worker(app):
    return threading.Event()

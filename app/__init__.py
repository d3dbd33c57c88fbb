r"""Parley, layer by layer. The address of any line is (layer, noun).

factory     create_app: wiring only
api         REST blueprints            \
sockets     Socket.IO events            |  transports: parse, find the actor, call one verb, return;
web         Jinja pages                 |  they never import each other
tasks       Celery tasks                |
cli         command line               /
domain      the verbs and rules, keyword-only, framework-free
queries     read-only SQL to views     \
live        Redis (Lua in named files)  |  they never import each other
outbound    emits, jobs, metrics       /
models      tables, constraints, ``transaction(actor)`` (the one place that commits)
extensions  bare db, migrate, socketio, celery, redis
kernel      pure: errors, actor, wire requests and events, limits, clock, ids
"""

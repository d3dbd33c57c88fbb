"""What makes the pages installable: the service worker of this release, the manifest, and the page for no network."""

from __future__ import annotations

import json

from flask import Response, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.web import assets
from app.web.pages import web
from app.web.rendering import page

ICONS = (("images/icon-192.png", "192x192"), ("images/icon-512.png", "512x512"))


@web.get("/sw.js")
def service_worker() -> Response:
    """Give the service worker. Its text names the release, so that each deploy is a new one to the browser."""
    shell = {"release": assets.fingerprint(), "assets": assets.shell()}
    main = assets.asset("js/worker/main.js")
    body = f"import {{ start }} from {json.dumps(main)};\nstart({json.dumps(shell)});\n"
    response = Response(body, mimetype="text/javascript")
    response.headers["Cache-Control"] = "no-cache"
    return response


@web.get("/manifest.webmanifest")
def manifest() -> Response:
    """Describe the application to a device that installs it."""
    icons = [
        {"src": assets.asset(path), "sizes": sizes, "type": "image/png", "purpose": "any maskable"}
        for path, sizes in ICONS
    ]
    described = {
        "name": "Parley",
        "short_name": "Parley",
        "description": "Messages that are never lost.",
        "id": "/chat",
        "start_url": url_for("web.chat"),
        "scope": "/",
        "display": "standalone",
        "background_color": "#fbfaf8",
        "theme_color": "#0d6a5f",
        "icons": icons,
    }
    return Response(json.dumps(described), mimetype="application/manifest+json")


@web.get("/offline")
def offline() -> AnyResponse:
    """Say that there is no network; shown by the service worker where it has kept no page."""
    return page("pages/offline.html")

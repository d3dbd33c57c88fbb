"""Attachments as the wire shows them."""

from __future__ import annotations

# One expression for every reading, so that an event and a fresh load are the same to the letter.
AS_JSON = (
    "json_build_object('id', a.id, 'name', a.name, 'contentType', a.content_type, 'bytes', a.bytes, 'width', a.width,"
    " 'height', a.height, 'url', '/api/uploads/' || a.id,"
    " 'thumbnailUrl', CASE WHEN a.has_thumbnail THEN '/api/uploads/' || a.id || '?size=thumbnail' END)"
)
OF_MESSAGE = (
    "CASE WHEN m.attachment_count > 0 THEN (SELECT json_agg({json} ORDER BY a.position) FROM attachments a"
    " WHERE a.message_id = m.id AND a.position IS NOT NULL) END"
).replace("{json}", AS_JSON)

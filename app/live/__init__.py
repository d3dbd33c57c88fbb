"""What lives in Redis: the message log, and caches that PostgreSQL can rebuild. The Lua is in ``lua/``, a file a script."""

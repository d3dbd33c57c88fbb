"""Parley's own benchmark: `make bench`. See docs/performance.md."""

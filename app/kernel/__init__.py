"""Pure ground that every layer stands on: no framework, no I/O."""

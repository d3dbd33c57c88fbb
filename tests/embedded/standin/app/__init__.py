"""A stand-in for the application, so that the launcher and the web process are tested by themselves."""

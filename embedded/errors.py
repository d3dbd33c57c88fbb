"""The one way in which this package refuses."""


class CannotStart(RuntimeError):
    """Something is in the way; the message is a sentence that says what to do about it."""

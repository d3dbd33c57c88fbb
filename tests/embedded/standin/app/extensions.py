offload = None


def set_offload(runner):
    global offload  # noqa: PLW0603
    offload = runner

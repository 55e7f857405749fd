"""The one error that is meant for the person at the keyboard."""


class UserError(ValueError):
    """Something a person asked for cannot be done.

    The message is one line for them: what was received, what is accepted, what to do. Pages and the command line show
    it as it stands; any other exception is a defect of ours.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.splitlines()))

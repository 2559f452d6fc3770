"""Faults: a device or a network did not do its part. Named for what is known afterwards."""


class DeviceFault(Exception):
    """Something behind a port failed; `device` is its name in the site's file."""

    def __init__(self, device: str, what: str) -> None:
        super().__init__(f"{device}: {what}")
        self.device = device
        self.what = what


class NoReply(DeviceFault):
    """A question was repeated as often as is allowed and nobody answered."""


class BadReply(DeviceFault):
    """An answer came that cannot be one: wrong length, function or content."""


class LineDown(DeviceFault):
    """The line itself is gone: the tty vanished, the connection is refused."""


class NotMoved(DeviceFault):
    """A movement was asked for and it is certain that nothing moved."""


class OutcomeUnknown(DeviceFault):
    """A movement was asked for and nobody knows whether it happened."""


class NotConfigured(DeviceFault):
    """The device says that our profile does not fit it; asking again is of no use."""

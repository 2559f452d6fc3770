"""The topics that journals travel on."""

from controller.journal import Stream

PREFIX = "onewindow"


def journal(site: str, stream: Stream) -> str:
    return f"{PREFIX}/{site}/journal/{stream.value}"


def journal_ack(site: str, stream: Stream) -> str:
    return f"{journal(site, stream)}/ack"


def journal_ask(site: str) -> str:
    """Where a site asks for what it has lost; the answers come as batches do."""
    return f"{journal(site, Stream.UP)}/ask"


def status(site: str) -> str:
    """Retained, and the site's will."""
    return f"{PREFIX}/{site}/status"


def site_of(topic: str) -> str:
    """The site that a topic names; empty where it is none of ours."""
    words = topic.split("/")
    return words[1] if len(words) > 1 and words[0] == PREFIX else ""

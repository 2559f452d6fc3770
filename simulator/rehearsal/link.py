"""The district's batches on their way to a site: sealed as ever, on a broker that may lie."""

from controller.journal import Entry, Stream
from controller.link.batches import ENTRIES_MAX, LinkKeys, Untrusted, seal_batch
from controller.link.receiver import Receiver
from controller.ports import Clock
from controller.settings import SiteSettings
from controller.site.site import Site
from controller.store import Store


class Wire:
    """While `hostile` each batch comes forged first, then an old one again, then twice."""

    def __init__(self, settings: SiteSettings) -> None:
        self.hostile = False
        self.refused = 0  # batches that changed nothing
        self._site = settings.site.id
        self._keys = LinkKeys.of(settings.link.key.get_secret_value())
        self._last = b""

    def receiver(self, site: Site, store: Store, clock: Clock) -> Receiver:
        return Receiver(self._site, Stream.DOWN, self._keys, store, site.inbox.apply, clock)

    def carry(self, entries: list[Entry], receiver: Receiver) -> None:
        """Hand entries over, each with its effect in one transaction."""
        for start in range(0, len(entries), ENTRIES_MAX):
            bodies = [entry.body for entry in entries[start : start + ENTRIES_MAX]]
            payload = seal_batch(self._site, Stream.DOWN, self._keys, bodies)
            for each in self._arrivals(payload):
                try:
                    if found := receiver.open(each):
                        receiver.take(found)
                except Untrusted:
                    self.refused += 1
            self._last = payload

    def _arrivals(self, payload: bytes) -> list[bytes]:
        if not self.hostile:
            return [payload]
        middle = len(payload) // 2
        forged = payload[:middle] + bytes([payload[middle] ^ 1]) + payload[middle + 1 :]
        old = [self._last] if self._last else []
        return [forged, *old, payload, payload]

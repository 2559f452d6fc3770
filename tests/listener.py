"""Somebody who may read everything on the broker, from the first message to the last."""

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion


class Listener:
    """Keeps what each topic said last (`topics`; emptied ones are gone) and every message heard."""

    def __init__(self) -> None:
        self.topics: dict[str, str] = {}
        self.messages: list[tuple[str, bytes]] = []
        self._client: Client | None = None

    def connect(self, host: str, port: int, username: str, password: str) -> None:
        client = Client(CallbackAPIVersion.VERSION2)
        client.username_pw_set(username, password)
        client.reconnect_delay_set(min_delay=1, max_delay=2)
        client.on_connect = lambda *_: client.subscribe("#", qos=1)
        client.on_message = self._heard
        client.connect(host, port, keepalive=10)
        client.loop_start()
        self._client = client

    def close(self) -> None:
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()
            self._client = None

    def _heard(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        self.messages.append((message.topic, message.payload))
        if message.payload:
            self.topics[message.topic] = message.payload.decode()
        else:
            self.topics.pop(message.topic, None)

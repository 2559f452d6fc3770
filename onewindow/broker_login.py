"""How a process of ours logs in at the broker."""

from controller.link.connection import Broker
from controller.settings import MqttTable


def broker_of(mqtt: MqttTable, identifier: str) -> Broker:
    """Where settings say that the broker is; each process has a name of its own there."""
    return Broker(
        mqtt.host,
        mqtt.port,
        mqtt.username,
        mqtt.password.get_secret_value(),
        identifier,
        mqtt.keepalive_s,
    )

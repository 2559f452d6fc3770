"""What watchers ask of a district process: liveness, readiness, numbers."""

from collections.abc import Iterator

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from controller.district.district import District


class Figures(Collector):
    """The district's own numbers, counted when they are asked for."""

    def __init__(self, district: District) -> None:
        self._district = district

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing beforehand: the database may not be there yet."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        figures = self._district.figures()
        orders = GaugeMetricFamily("onewindow_orders", "Orders by state.", labels=["state"])
        for state, count in figures.orders.items():
            orders.add_metric([state], count)
        messages = GaugeMetricFamily("onewindow_messages", "Messages by state.", labels=["state"])
        for state, count in figures.messages.items():
            messages.add_metric([state], count)
        alarms = GaugeMetricFamily("onewindow_alarms", "Standing alarms.", labels=["site", "kind"])
        for (site, kind), count in figures.alarms.items():
            alarms.add_metric([site, kind], count)
        online = GaugeMetricFamily("onewindow_site_online", "1: it is.", labels=["site"])
        doubtful = GaugeMetricFamily(
            "onewindow_movements_unknown", "Movements of which nobody knows.", labels=["site"]
        )
        for site, there in figures.online.items():
            online.add_metric([site], there)
            doubtful.add_metric([site], figures.doubtful.get(site, 0))
        yield from (orders, messages, alarms, online, doubtful)


def router(district: District, registry: CollectorRegistry) -> APIRouter:
    routes = APIRouter(tags=["watching"])

    @routes.get("/healthz")
    def healthz() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @routes.get("/readyz")
    def readyz() -> dict[str, str]:
        """The database answers too."""
        district.ready()
        return {"status": "ready"}

    @routes.get("/metrics", response_class=Response)
    def metrics() -> Response:
        """For Prometheus."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return routes

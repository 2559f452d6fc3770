import pytest

from tests.brokers import RunningBroker
from tests.controller.link.live import district_end, site_end
from tests.controller.link.two_ends import TwoEnds, store_at


@pytest.fixture
def ends(tmp_path):
    with store_at(tmp_path / "ours.db") as ours, store_at(tmp_path / "theirs.db") as theirs:
        yield TwoEnds(ours, theirs)


@pytest.fixture(
    params=["nats-server", pytest.param("mosquitto", marks=pytest.mark.mosquitto)],
)
def broker(request, tmp_path):
    running = RunningBroker(request.param, tmp_path / "broker")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def site(tmp_path):
    with site_end(tmp_path) as end:
        yield end


@pytest.fixture
def district(tmp_path):
    with district_end(tmp_path) as end:
        yield end

import pytest
from fastapi import APIRouter

from api.problems import KINDS
from controller.district.form import OrderForm
from controller.refusals import Reason, Refused

HOME = "http://127.0.0.1:8000"


def test_every_refusal_has_a_kind():
    assert set(KINDS) == set(Reason)


async def test_a_refusal_is_a_problem_of_its_own_type(app, calling):
    routes = APIRouter()

    @routes.get("/refuse/{reason}")
    def refuse(reason: Reason):
        raise Refused(reason, seconds=9)

    app.include_router(routes)
    for reason in Reason:
        answer = await calling(None).get(f"{HOME}/refuse/{reason}")
        assert answer.status_code == KINDS[reason].status
        assert answer.json()["type"] == f"urn:onewindow:problem:{reason}"
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["retry-after"] == "9"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/v1/nothing", 404), ("PUT", "/api/v1/orders", 405)],
)
async def test_what_is_not_there_is_a_problem_too(calling, method, path, status):
    answer = await calling("all").request(method, HOME + path)
    assert answer.status_code == status
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


async def test_liveness_readiness_and_numbers(calling, district):
    client = calling(None)
    assert (await client.get(f"{HOME}/healthz")).json() == {"status": "ok"}
    assert (await client.get(f"{HOME}/readyz")).json() == {"status": "ready"}
    district.saw("FT-0001", district.clock.now(), online=True)
    numbers = (await client.get(f"{HOME}/metrics")).text
    assert 'onewindow_site_online{site="FT-0001"} 1.0' in numbers
    assert 'onewindow_site_online{site="FT-0002"} 0.0' in numbers
    assert 'route="/healthz"' in numbers


async def test_the_interface_describes_itself_with_an_example_that_works(calling):
    described = (await calling(None).get(f"{HOME}/api/openapi.json")).json()
    place = described["paths"]["/api/v1/orders"]["post"]
    body = place["requestBody"]["content"]["application/json"]
    assert body["schema"] == {"$ref": "#/components/schemas/OrderForm"}
    assert set(OrderForm.model_fields) == set(
        described["components"]["schemas"]["OrderForm"]["properties"]
    )
    example = body["examples"]["licence and seals"]["value"]
    assert (await calling("all").post("/orders", json=example)).status_code == 201
    assert "application/problem+json" in place["responses"]["422"]["content"]
    assert not any(path.startswith("/p/") for path in described["paths"])


def test_every_reference_of_the_description_leads_somewhere(app):
    described = app.openapi()
    schemas = described["components"]["schemas"]

    def references(part):
        if isinstance(part, dict):
            if "$ref" in part:
                yield part["$ref"]
            for inner in part.values():
                yield from references(inner)
        elif isinstance(part, list):
            for inner in part:
                yield from references(inner)

    for reference in references(described):
        assert reference.rpartition("/")[2] in schemas

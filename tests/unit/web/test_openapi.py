"""The OpenAPI document: valid, complete, with the errors as they are sent."""

from typing import Any

from fastapi.routing import APIWebSocketRoute
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from starlette.routing import Route

from b2bua.web.app import make_app
from tests.unit.web.server import Api


async def document(web: Api) -> dict[str, Any]:
    answer = await web.ask("GET", "/v1/openapi.json", key=None)
    assert answer.status_code == 200
    made: dict[str, Any] = answer.json()
    return made


async def test_the_document_is_valid(web: Api) -> None:
    from openapi_spec_validator import validate

    validate(await document(web))


async def test_every_operation_has_a_name_a_text_and_its_errors(web: Api) -> None:
    made = await document(web)
    names = []
    for path, operations in made["paths"].items():
        for method, operation in operations.items():
            names.append(operation["operationId"])
            assert operation["description"], (method, path)
            if not path.startswith("/v1/") or path == "/v1/events":
                continue
            assert operation["security"] == [{"key": []}], (method, path)
            errors = {status: body["content"] for status, body in operation["responses"].items() if status >= "400"}
            assert {"401", "403", "422", "429", "503"} <= set(errors), (method, path)
            assert all(list(content) == ["application/problem+json"] for content in errors.values()), (method, path)
    assert len(set(names)) == len(names)


async def test_answers_are_what_the_document_says(web: Api) -> None:
    made = await document(web)
    schemas = {"components": made["components"]}
    async with web.client() as client:
        for method, path, template, body, status in (
            ("GET", "/v1/tenants/acme", "/v1/tenants/{id}", None, "200"),
            ("POST", "/v1/tokens", "/v1/tokens", {"tenant": "acme", "data": {"a": 1}}, "201"),
            ("POST", "/v1/tokens/bulk", "/v1/tokens/bulk", {"tenant": "acme", "tokens": [{}]}, "201"),
            ("GET", "/v1/calls", "/v1/calls", None, "200"),
            ("GET", "/v1/cdrs", "/v1/cdrs", None, "200"),
            ("GET", "/v1/audit", "/v1/audit", None, "200"),
            ("POST", "/v1/routes", "/v1/routes", {"name": "r", "extension": "0"}, "409"),
            ("POST", "/v1/routes", "/v1/routes", {}, "422"),
        ):
            answer = await client.request(method, path, json=body)
            assert str(answer.status_code) == status, answer.text
            content = made["paths"][template][method.lower()]["responses"][status]["content"]
            (schema,) = (kind["schema"] for kind in content.values())
            Draft202012Validator(schemas | schema).validate(answer.json())


async def test_no_request_makes_routes(web: Api) -> None:
    """The framework makes an included router's routes when a request first comes past it, on the thread of calls."""
    assert all(isinstance(route, Route | APIWebSocketRoute) for route in make_app(web.node).routes)

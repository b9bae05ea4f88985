"""The server does what its OpenAPI document says, for requests of all shapes."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema
import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from signer_server.openapi import document
from signer_sync import contract as c
from tests.server.by_hand import Hand
from tests.server.world import COMMUNE, REGISTER, World, running

DOCUMENT = document()
CALLS = [
    (path, method, operation) for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()
]
PLACES = {"org": COMMUNE, "register": REGISTER, "packet": "0199a1b2-0000-7000-8000-000000000001"}


def test_the_document_is_served_to_anybody_and_names_every_route(world: World) -> None:
    answer = world.session().get(f"{world.server.url}/v1/openapi.json")
    served = msgspec.json.decode(answer.content)
    assert served == msgspec.json.decode(msgspec.json.encode(DOCUMENT))
    assert served["openapi"].startswith("3.1")
    assert len(CALLS) == len({operation["operationId"] for *_, operation in CALLS}) == 20


def test_every_reference_of_the_document_leads_somewhere_and_every_schema_is_one() -> None:
    text = msgspec.json.encode(DOCUMENT).decode()
    names = set(re.findall(r'"\$ref":"#/components/schemas/([^"]+)"', text))
    assert names <= set(DOCUMENT["components"]["schemas"])
    assert text.count('"$ref"') == len(re.findall(r'"\$ref":"#/components/schemas/', text))
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def values(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a schema allows; patterns in the dialect that both sides know."""
    if "$ref" in schema:
        return values(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema:
        return st.one_of([values(item) for item in schema["anyOf"]])
    match schema.get("type"):
        case "object":
            wanted = {name: values(item) for name, item in schema.get("properties", {}).items()}
            needed = set(schema.get("required", ()))
            return st.fixed_dictionaries(
                {name: item for name, item in wanted.items() if name in needed},
                optional={name: item for name, item in wanted.items() if name not in needed},
            )
        case "array":
            return st.lists(values(schema.get("items", {"type": "string"})), max_size=3)
        case "integer":
            return st.integers(schema.get("minimum", 0), schema.get("maximum", 1 << 40))
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
        case "string" if "pattern" in schema:
            return st.from_regex(re.compile(schema["pattern"].replace("$", r"\Z"), re.ASCII))
        case _:
            return st.text(max_size=min(schema.get("maxLength", 20), 20))


def nonsense() -> st.SearchStrategy[Any]:
    leaf = st.none() | st.booleans() | st.integers(-5, 1 << 70) | st.text(max_size=9) | st.floats(allow_nan=False)
    return st.recursive(leaf, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner), max_leaves=8)


@st.composite
def asked(draw: st.DrawFn) -> tuple[int, dict[str, Any]]:
    """A call of the document with parameters and body that it allows, or nearly."""
    number = draw(st.integers(0, len(CALLS) - 1))
    path, method, operation = CALLS[number]
    query, headers = dict[str, str](), dict[str, str]()
    for param in operation.get("parameters", ()):
        if not param["required"] and draw(st.booleans()):
            continue
        value = str(draw(values(param["schema"])))
        if param["in"] == "path":
            value = draw(st.sampled_from([PLACES.get(param["name"], value), value]))
            path = path.replace(f"{{{param['name']}}}", quote(value, safe=""))
        elif param["in"] == "query":
            query[param["name"]] = draw(st.just(value) | st.text(max_size=10))
        else:
            headers[param["name"]] = re.sub(r"[^!-~]", "?", value)
    body: bytes | None = None
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        headers["Content-Type"] = media
        if media == c.MEDIA_JSON or media == c.MEDIA_JOSE:
            body = msgspec.json.encode(draw(values(content["schema"]) | nonsense()))
        else:
            body = draw(st.binary(max_size=200))
    return number, {"method": method.upper(), "path": path, "params": query, "headers": headers, "data": body}


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("openapi")
    with running(folder) as world:
        yield Hand(world, world.enrolled())


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
    phases=[Phase.generate],
)
@given(asked())
def test_every_answer_is_one_that_the_document_names_and_no_request_is_a_fault(
    hand: Hand, call: tuple[int, dict[str, Any]]
) -> None:
    number, request = call
    _, _, operation = CALLS[number]
    request["params"].pop("wait", None)
    answer = hand.session.request(
        request["method"],
        hand.world.server.url + request["path"],
        params=request["params"],
        headers=request["headers"],
        data=request["data"],
    )
    named = operation["responses"]
    assert str(answer.status_code) in named, (operation["operationId"], answer.status_code, answer.content)
    assert answer.status_code != 500
    content = named[str(answer.status_code)].get("content")
    if content is None:
        return
    media = answer.headers["Content-Type"].partition(";")[0]
    assert media in content
    if "json" in media and operation["operationId"] != "openapi":
        schema = {**content[media]["schema"], "components": DOCUMENT["components"]}
        jsonschema.validate(answer.json(), schema)

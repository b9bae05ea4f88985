"""The OpenAPI 3.1 document of the Sync API, made from the table of calls and the contract's types.

A pure function; the document is the same for every caller.
"""

from collections import defaultdict
from typing import Any

import msgspec

from signer_server.operations import ANYWHERE, OPERATIONS, WITH_BEARER, Answer, Auth, Operation, Param
from signer_sync import contract as c
from signer_sync.contract import ProblemCode

_SIGNED = (c.Meta, c.Enrolment, c.Receipt, c.Assertion)
"""Types that travel only inside a JWS."""


def document() -> dict[str, Any]:
    """The document as plain values."""
    types = [*_types(), *_SIGNED, c.Problem]
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    refs = {id(kind): _portable(schema) for kind, schema in zip(types, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for operation in OPERATIONS:
        paths[operation.path][operation.method.lower()] = _operation(operation, refs)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sync API",
            "version": c.API_VERSION,
            "description": "Exchange of documents between a body's program and a document server.",
        },
        "paths": dict(paths),
        "components": {
            "schemas": _portable(components),
            "securitySchemes": {"device": {"type": "http", "scheme": "bearer"}},
        },
    }


def _types() -> list[Any]:
    found: list[Any] = []
    for operation in OPERATIONS:
        found += [item.schema for item in operation.params]
        found += [operation.body, *(answer.body for answer in operation.answers)]
    return [item for item in found if item is not None and not isinstance(item, dict)]


def _operation(operation: Operation, refs: dict[int, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "responses": {str(answer.status): _answer(answer, refs) for answer in operation.answers},
        "security": [{"device": []}] if operation.auth is Auth.BEARER else [],
    }
    if operation.params:
        made["parameters"] = [_param(item, refs) for item in operation.params]
    if operation.media is not None:
        made["requestBody"] = {"required": True, "content": _content(operation.media, operation.body, refs)}
    problems: dict[int, list[ProblemCode]] = defaultdict(list)
    for code in (*operation.problems, *ANYWHERE, *(WITH_BEARER if operation.auth is Auth.BEARER else ())):
        if code not in problems[code.status]:
            problems[code.status].append(code)
    for status, codes in sorted(problems.items()):
        described: dict[str, Any] = {"description": ", ".join(code.code for code in codes)}
        if operation.method != "HEAD":
            described["content"] = _content(c.MEDIA_PROBLEM, c.Problem, refs)
        made["responses"][str(status)] = described
    return made


def _answer(answer: Answer, refs: dict[int, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"description": "done"}
    if answer.media is not None:
        made["content"] = _content(answer.media, answer.body, refs)
    if answer.headers:
        made["headers"] = {name: {"schema": {"type": "string"}} for name in answer.headers}
    return made


def _param(item: Param, refs: dict[int, Any]) -> dict[str, Any]:
    return {"in": item.where, "name": item.name, "required": item.required, "schema": _schema(item.schema, refs)}


def _content(media: str, body: Any, refs: dict[int, Any]) -> dict[str, Any]:
    return {media: {"schema": _schema(body, refs)}}


def _schema(kind: Any, refs: dict[int, Any]) -> Any:
    return _portable(kind) if isinstance(kind, dict) else refs[id(kind)]


def _portable(value: Any) -> Any:
    r"""Patterns in the dialect of JSON Schema (ECMA 262), which knows no `\Z` and whose `$` is the very end."""
    if isinstance(value, dict):
        return {
            name: item.replace(r"\Z", "$") if name == "pattern" and isinstance(item, str) else _portable(item)
            for name, item in value.items()
        }
    return [_portable(item) for item in value] if isinstance(value, list | tuple) else value

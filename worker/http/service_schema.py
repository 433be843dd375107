"""The part of the OpenAPI document that is the same for every application."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from worker.failed.filters import NAMES
from worker.http.filtering import DEFAULT_LIMIT, MAX_LIMIT, TIME
from worker.http.media import JSON, NDJSON
from worker.http.operations import Json, answer, header, problems, shared

_TEXT = {"type": "string"}
_PLAIN = {"type": "string", "minLength": 1, "pattern": "^[^\\x00]+$"}
_ID: Json = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "not": {"enum": ["groups", "retry"]}},
}


def service_paths(shapes: Mapping[str, Any], command: str) -> Json:
    """Return the paths beside commands and queries of the application's own.

    Args:
        shapes: schema by name of document.
        command: name of a command, for the examples.
    """
    return {
        **_commands(shapes, command),
        **_consumers(shapes, command),
        **_failed(shapes),
        **_service(shapes),
    }


def _commands(shapes: Mapping[str, Any], command: str) -> Json:
    line = f'{{"type":"{command}","data":{{}}}}\n'
    batch = {
        **_about("post_commands", "commands", "Send many commands, one a line; each line fails alone"),
        "description": "Each line is a BatchLine; each line of the answer has `id`, `type` and `status`, or `error`.",
        "parameters": shared("IdempotencyKey", "CorrelationId", "Traceparent"),
        "requestBody": {"required": True, "content": {NDJSON: {"schema": _TEXT, "example": line}}},
        "responses": {
            "202": answer("At least one line was taken.", _TEXT, media=[NDJSON]),
            **problems(400, 409, 413, 415, 422, 503),
        },
    }
    # a batch of which no line was taken answers line by line; an empty one, or a bad key, with a problem
    batch["responses"]["422"] = {
        "description": "No line was taken.",
        "content": {NDJSON: {"schema": _TEXT}, "application/problem+json": {"schema": shapes["Problem"]}},
    }
    status = {
        **_about("get_command", "commands", "Where a command stands"),
        "parameters": [{**_ID, "schema": {"type": "string", "format": "uuid"}}, *shared("Prefer")],
        "responses": {"200": answer("The command.", shapes["CommandStatus"]), **problems(404, 503)},
    }
    return {"/commands": {"post": batch}, "/commands/{id}": {"get": status}}


def _consumers(shapes: Mapping[str, Any], command: str) -> Json:
    shown = _get("get_consumers", "Worker processes and what they consume", shapes["Consumers"], [503])

    def changing(id: str, summary: str, shape: str, example: Json, *statuses: int) -> Json:
        body = {**_json(shapes[shape], example), "required": False}
        return {
            **_about(id, "consumers", summary),
            "parameters": shared("Prefer"),
            "requestBody": body,
            "responses": {
                "202": answer("It is stored.", shapes["ConsumersChanged"]),
                **problems(400, 413, 415, 422, 503, *statuses),
            },
        }

    pause: Json = {"types": [command], "reason": "maintenance", "for": 900}
    return {
        "/consumers": {"get": {**shown, "tags": ["consumers"]}},
        "/consumers/pause": {
            "post": changing(
                "pause_consumers", "Start nothing of these types in any worker", "PauseRequest", pause, 409
            )
        },
        "/consumers/resume": {
            "post": changing(
                "resume_consumers", "Take these types' messages again", "ResumeRequest", {"types": [command]}
            )
        },
    }


def _failed(shapes: Mapping[str, Any]) -> Json:
    filters = [
        _filter(name, {"type": "string", **TIME} if name in {"since", "until"} else _PLAIN) for name in NAMES
    ]
    limit: Json = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
    chosen = {"oneOf": [shapes["RetryAll"], {"allOf": [shapes["RetryChosen"]], "minProperties": 1}]}
    paging = [{"name": "limit", "in": "query", "required": False, "schema": limit}, _filter("next", _PLAIN)]
    return {
        "/failed": {
            "get": {
                **_about("get_failed", "failed", "Failed messages, newest first"),
                "parameters": [*filters, *paging],
                "responses": {"200": answer("One page.", shapes["FailedPage"]), **problems(400, 422, 503)},
            }
        },
        "/failed/groups": {
            "get": {
                **_about("get_failed_groups", "failed", "Failed messages counted by type, handler and error"),
                "responses": {"200": answer("The groups.", shapes["GroupsPage"]), **problems(503)},
            }
        },
        "/failed/retry": {
            "post": {
                **_about("retry_many_failed", "failed", "Put back all that a filter chooses"),
                "requestBody": _json(chosen, {"all": True}),
                "responses": {
                    "202": answer("They are back in their queues.", shapes["Retried"]),
                    **problems(400, 404, 409, 413, 415, 422, 503),
                },
            }
        },
        "/failed/{id}": {
            "parameters": [_ID],
            "get": {
                **_about("get_failed_message", "failed", "A failed message with its envelope and history"),
                "responses": {
                    "200": answer("The message.", shapes["FailedDocument"]),
                    **problems(404, 405, 503),
                },
            },
            "put": {
                **_about(
                    "edit_failed_message",
                    "failed",
                    "Replace a failed message's data, and put it back if asked",
                ),
                "requestBody": _json(shapes["Edit"], {"data": {}, "retry": True}),
                "responses": {
                    "200": answer("It has the new data.", shapes["Edited"]),
                    "202": answer("It is back in its queue with the new data.", shapes["Edited"]),
                    **problems(400, 404, 405, 409, 413, 415, 422, 503),
                },
            },
            "delete": {
                **_about("remove_failed_message", "failed", "Remove a failed message for good"),
                "responses": {"204": {"description": "It is gone."}, **problems(404, 405, 503)},
            },
        },
        "/failed/{id}/retry": {
            "parameters": [_ID],
            "post": {
                **_about(
                    "retry_failed_message", "failed", "Put a failed message back, its attempts counted anew"
                ),
                "responses": {
                    "202": answer("It is back in its queue.", shapes["Retried"]),
                    **problems(404, 409, 422, 503),
                },
            },
        },
    }


def _service(shapes: Mapping[str, Any]) -> Json:
    readiness, health = shapes["Readiness"], shapes["HealthReport"]
    return {
        "/": {
            "get": _get("get_root", "What this service is; HEAD is a ping", shapes["Root"]),
        },
        "/health": {
            "get": _get("get_health", "The full health report", health, other=answer("Not healthy.", health))
        },
        "/livez": {"get": _get("get_livez", "Whether the process lives", readiness)},
        "/readyz": {
            "get": _get(
                "get_readyz",
                "Whether it should get requests",
                readiness,
                other=answer("Not ready.", readiness),
            )
        },
        "/openapi.json": {
            "get": {
                **_about("get_openapi", "service", "This document"),
                "responses": {"200": answer("The document.", {"type": "object"}, media=[JSON]), **problems()},
            }
        },
        "/docs": {
            "get": {
                **_about("get_docs", "service", "This document as a page"),
                "responses": {
                    "200": answer(
                        "The page.",
                        _TEXT,
                        media=["text/html"],
                        headers={"Content-Security-Policy": header("What the page may load: nothing.")},
                    ),
                    **problems(),
                },
            }
        },
    }


def _get(id: str, summary: str, shape: Json, statuses: Sequence[int] = (), other: Json | None = None) -> Json:
    responses = {"200": answer("It is so.", shape), **problems(*statuses)}
    if other is not None:
        responses["503"] = other
    return {**_about(id, "service", summary), "responses": responses}


def _about(id: str, tag: str, summary: str) -> Json:
    return {"operationId": id, "tags": [tag], "summary": summary}


def _filter(name: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _json(schema: Json, example: Any) -> Json:
    return {"required": True, "content": {JSON: {"schema": schema, "example": example}}}

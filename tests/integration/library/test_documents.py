"""The documents about the library: one OpenAPI document of all that can be called, and the page of it."""

import jsonschema_rs


async def test_every_operation_is_in_the_openapi_document_beside_the_messages(library):
    document = (await library.http.get("/openapi.json")).json()
    operations = {
        entry["operationId"]: (path, method)
        for path, item in document["paths"].items()
        for method, entry in item.items()
        if method != "parameters"
    }
    assert operations["book_get_list"] == ("/books", "get")
    assert operations["reservation_update"] == ("/reservations/{id}", "patch")
    assert operations["post_command_Reservation"] == ("/commands/Reservation", "post")
    assert (await library.http.get("/docs")).status_code == 200


async def test_an_object_is_one_schema_wherever_it_is_taken_and_given(library):
    """A resource that is a message, too, is described once, and what is answered fits."""
    document = (await library.http.get("/openapi.json")).json()
    answer = document["paths"]["/reservations/{id}"]["get"]["responses"]["200"]
    schema = answer["content"]["application/json"]["schema"]
    sent = document["paths"]["/commands/Reservation"]["post"]["requestBody"]["content"]
    assert schema == sent["application/json"]["schema"] == {"$ref": "#/components/schemas/Reservation"}
    await library.http.post("/reservations", json={"book": 1, "reader": "Jane"})
    stored = (await library.http.get("/reservations/1")).json()
    whole = {**schema, "components": document["components"]}
    assert jsonschema_rs.Draft202012Validator(whole).is_valid(stored)


async def test_the_example_of_a_body_is_taken(library):
    document = (await library.http.get("/openapi.json")).json()
    for path in ("/books", "/users", "/reservations", "/blog-posts", "/password-changes"):
        content = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        if "example" in content:
            answer = await library.http.post(path, json=content["example"])
            assert answer.status_code in {201, 202}, answer.text

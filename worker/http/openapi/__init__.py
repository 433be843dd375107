"""The endpoints described: the OpenAPI document, and the same as a page."""

"""Resources over HTTP: their formats, their query strings and their documentation."""

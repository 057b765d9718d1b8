"""One module a resource: parse, call one verb, shape. No arithmetic."""

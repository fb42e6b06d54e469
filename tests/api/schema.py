"""JSON Schema, as much of it as our OpenAPI document uses, held strictly: an answer has no member that the
document does not tell."""

import re

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
TYPES = {"string": str, "boolean": bool, "object": dict, "array": list, "null": type(None)}
KNOWN = {"$ref", "type", "format", "properties", "required", "additionalProperties", "items", "enum", "description",
         "oneOf", "allOf", "minimum", "maximum", "default", "maxLength", "minLength", "maxItems", "maxProperties"}


def of_type(value, name):
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if name == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


class Validator:
    def __init__(self, document):
        self.document = document

    def resolve(self, schema):
        while "$ref" in schema:
            node = self.document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                node = node[part]
            schema = node
        return schema

    def members(self, schema):
        """All that an object of this schema may have; None when it may have any."""
        schema = self.resolve(schema)
        if "properties" not in schema and "allOf" not in schema:
            return None
        names = set(schema.get("properties", {}))
        for part in schema.get("allOf", []):
            names |= self.members(part) or set()
        return names

    def errors(self, value, schema, at=""):
        schema = self.resolve(schema)
        found = [f"{at}: the document uses {key}" for key in set(schema) - KNOWN if not key.startswith("x-")]
        if "oneOf" in schema:
            fits = [s for s in schema["oneOf"] if not self.errors(value, s, at)]
            return found + ([] if len(fits) == 1 else [f"{at}: fits {len(fits)} of oneOf"])
        for part in schema.get("allOf", []):
            found += self.errors(value, part, at)
        names = schema.get("type", [])
        names = [names] if isinstance(names, str) else names
        if names and not any(of_type(value, n) for n in names):
            return found + [f"{at}: {value!r} is not {names}"]
        if "enum" in schema and value not in schema["enum"]:
            found.append(f"{at}: {value!r} is not one of {schema['enum']}")
        if schema.get("format") == "date-time" and value is not None and not TIME.fullmatch(value):
            found.append(f"{at}: {value!r} is not a time")
        if isinstance(value, dict):
            found += self.object_errors(value, schema, at)
        if isinstance(value, list) and "items" in schema:
            for i, item in enumerate(value):
                found += self.errors(item, schema["items"], f"{at}/{i}")
                found += self.strangers(item, schema["items"], f"{at}/{i}")
        return found

    def object_errors(self, value, schema, at):
        found = [f"{at}/{n}: is missing" for n in schema.get("required", []) if n not in value]
        rest = schema.get("additionalProperties")
        for name, item in value.items():
            told = schema.get("properties", {}).get(name)
            if told is None and isinstance(rest, dict):
                told = rest
            if told is not None:
                found += self.errors(item, told, f"{at}/{name}")
                found += self.strangers(item, told, f"{at}/{name}")
        return found

    def strangers(self, value, schema, at):
        names = self.members(schema)
        if not isinstance(value, dict) or names is None:
            return []
        if "additionalProperties" in self.resolve(schema):
            return []
        return [f"{at}/{n}: is not in the document" for n in value if n not in names]

    def check(self, value, schema):
        return self.errors(value, schema) + self.strangers(value, schema, "")

"""Renders /openapi.json as docs/API.md.

By hand, with a berthd of this tree that runs: python3 -m tests.api.test_reference --write
"""

HEAD = """# The REST API

Made from `/openapi.json`, which the daemon serves itself: `python3 -m tests.api.test_reference --write` renders it, and
a test sees to it that this page is current.

JSON in and out. Sizes are in bytes (`_bytes`), durations in seconds (`_s`), times RFC 3339 in UTC. A request needs
`Authorization: Bearer TOKEN`; the daemon's first one is in `<data_dir>/admin.token`. Unknown fields are refused.

- Errors are `application/problem+json` (RFC 9457) with a stable `code` and, for each wrong field, a pointer and what to do.
- `Idempotency-Key` on a POST: the same key and body give the same answer again, also after a restart.
- `ETag` with `If-Match`: 412 when somebody was faster.
- Lists are `{"items": [...], "next": ...}`; pass `next` as `cursor` to get the next page.
- What takes time answers 202, most of it with an operation to follow. 429 and 503 come with `Retry-After`.
"""


def text(words):
    return (words or "").replace("|", "\\|").replace("\n", " ").strip()


def name_of(reference):
    return reference.rsplit("/", 1)[-1]


def link(schema):
    """What a body is, with a link to its fields."""
    if "$ref" not in schema:
        return kind(schema)
    name = name_of(schema["$ref"])
    return f"[{name}](#{name.lower()})"


def kind(schema):
    """A type in a word or two."""
    if "$ref" in schema:
        return link(schema)
    if "enum" in schema:
        return " \\| ".join(f"`{value}`" for value in schema["enum"] if value is not None)
    found = schema.get("type", "any")
    names = [n for n in (found if isinstance(found, list) else [found]) if n != "null"]
    if names == ["array"]:
        return "list of " + kind(schema.get("items", {}))
    if names == ["object"] and isinstance(schema.get("additionalProperties"), dict):
        return "map to " + kind(schema["additionalProperties"])
    return " or ".join(names)


def bounds(schema):
    told = []
    if "minimum" in schema or "maximum" in schema:
        told.append(f"{schema.get('minimum', '…')} to {schema.get('maximum', '…')}")
    if "default" in schema:
        told.append(f"default `{str(schema['default']).lower()}`")
    return ", ".join(told)


def flat(schema):
    """The properties and the required ones of a schema, its parts put together."""
    properties, required = dict(schema.get("properties", {})), set(schema.get("required", []))
    for part in schema.get("allOf", []):
        more, needed = flat(part)
        properties.update(more)
        required |= needed
    return properties, required


def rows(schema, request, prefix=""):
    """A line for each field; request: whether to say which ones are required."""
    properties, required = flat(schema)
    for name, field in properties.items():
        notes = [note for note in (bounds(field), "required" if request and name in required else "") if note]
        yield f"| `{prefix}{name}` | {kind(field)} | {'; '.join(notes)} | {text(field.get('description'))} |"
        inner = field.get("items", field)
        extra = inner.get("additionalProperties")
        if isinstance(extra, dict) and "properties" in extra:
            inner = extra
        if "properties" in inner or "allOf" in inner:
            yield from rows(inner, request, f"{prefix}{name}{'[].' if 'items' in field else '.'}")


def operation(method, path, about):
    yield f"### {method.upper()} {path}"
    yield f"{text(about['description'])}\n"
    parameters = [p for p in about.get("parameters", []) if p["in"] != "path"]
    if parameters:
        yield "| parameter | in | type | | |\n| --- | --- | --- | --- | --- |"
        for p in parameters:
            yield f"| `{p['name']}` | {p['in']} | {kind(p['schema'])} | {bounds(p['schema'])} | {text(p.get('description'))} |"
        yield ""
    for media, body in about.get("requestBody", {}).get("content", {}).items():
        yield f"Body: {link(body.get('schema', {}))} (`{media}`).\n"
    told = []
    for status, answer in about["responses"].items():
        if not status.startswith("2"):
            continue
        content = answer.get("content", {})
        what = " or ".join(f"{link(body.get('schema', {}))} (`{media}`)" for media, body in content.items())
        told.append(f"{status}: {what or 'nothing'}")
    problems = sorted(s for s in about["responses"] if s[0] in "45")
    yield f"Answers {'; '.join(told)}." + (f" Errors: {', '.join(problems)}.\n" if problems else "\n")


def render(document):
    """The whole page."""
    lines = [HEAD]
    by_tag = {}
    for path, methods in document["paths"].items():
        for method, about in methods.items():
            by_tag.setdefault(about["tags"][0], []).append((method, path, about))
    for tag, calls in by_tag.items():
        lines.append(f"## {tag[0].upper()}{tag[1:]}")
        for call in calls:
            lines.extend(operation(*call))
    lines.append("## Bodies\n")
    for name, schema in sorted(document["components"]["schemas"].items()):
        told = list(rows(schema, name.endswith("Request")))
        lines.append(f"### {name}\n" + (text(schema["description"]) + "\n" if schema.get("description") else ""))
        if told:
            lines.append("| field | type | | |\n| --- | --- | --- | --- |\n" + "\n".join(told) + "\n")
    return "\n".join(lines).rstrip() + "\n"

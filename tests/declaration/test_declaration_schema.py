import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

from dpor_provider.declaration import schema


def subschemas(value: Any, path: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        yield path, value
        for key, each in value.items():
            if key not in ("examples", "const", "enum", "default"):
                yield from subschemas(each, f"{path}/{key}")
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from subschemas(each, f"{path}/{index}")


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema())

    assert schema()["$id"]
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_each_caller_gets_its_own() -> None:
    schema().clear()

    assert schema()


def test_every_property_has_help() -> None:
    definitions = schema()["$defs"]
    for path, each in subschemas(schema()):
        if "dependentSchemas" in path or path.endswith("/if"):
            continue
        for name, prop in each.get("properties", {}).items():
            if isinstance(prop, dict) and not path.endswith("/properties"):
                target = definitions.get(str(prop.get("$ref")).removeprefix("#/$defs/"), {})
                assert prop.get("title", target.get("title")), f"{path}: {name}"
                assert prop.get("description", target.get("description")), f"{path}: {name}"


def test_every_mapping_is_closed() -> None:
    for path, each in subschemas(schema()):
        if each.get("type") == "object" and "properties" in each:
            assert each["additionalProperties"] is False, path


def test_no_keyword_looks_further_than_a_shape() -> None:
    """Entries of equal shape are validated once, so the schema may see no more than the shape."""
    sees_shapes_only = {
        *("$id", "$schema", "$defs", "$ref", "title", "description", "examples", "default"),
        *("type", "required", "properties", "additionalProperties", "propertyNames", "items"),
        *("dependentRequired", "dependentSchemas", "allOf", "if", "then", "else", "not"),
        *("const", "enum", "format"),
    }
    containers = ("/properties", "/$defs", "/dependentSchemas", "/dependentRequired")
    for path, each in subschemas(schema()):
        if not path.endswith(containers):
            assert set(each) - {"pattern"} <= sees_shapes_only, path
            assert each.get("pattern", r"\S") == r"\S", path


def test_import_is_light() -> None:
    heavy = "pulumi", "sqlalchemy", "alembic", "rich", "click", "jsonschema"
    code = (
        f"import sys, dpor_provider.declaration; sys.exit(any(m in sys.modules for m in {heavy}))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

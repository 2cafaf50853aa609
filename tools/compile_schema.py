"""Compile the declaration's JSON Schema to plain Python, which only says yes or no.

The compiler knows draft 7, the schema is of draft 2020-12: its few newer words are put in older
ones. A test compares the verdicts of the two.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import fastjsonschema

from dpor_provider.declaration import schema

ROOT = Path(__file__).parent.parent
COMPILED = ROOT / "dpor_provider" / "declaration" / "accepts.py"
HEADER = '''\
"""Whether the schema accepts a document: its JSON Schema, compiled by `make docs`.

Importing jsonschema takes longer than all the rest of a check of one file. It is asked only for
what is wrong with a document that this refuses.
"""

import re


class Refused(Exception):
    """The document does not follow the schema."""


'''
ANNOTATIONS = {"$id", "$schema", "default", "description", "examples", "format", "title"}


def older(node: Any, named: bool = False) -> Any:
    """A schema of draft 2020-12 in the words of draft 7.

    Args:
        node: A schema, or a part of one.
        named: Whether its keys are names and no words of the schema.
    """
    if isinstance(node, list):
        return [older(part) for part in node]
    if not isinstance(node, dict):
        return node
    if named:
        return {name: older(part) for name, part in node.items()}
    result: dict[str, Any] = {}
    for word, part in node.items():
        match word:
            case "properties":
                result[word] = older(part, named=True)
            case "$defs":
                result["definitions"] = older(part, named=True)
            case "dependentRequired":
                result.setdefault("dependencies", {}).update(part)
            case "dependentSchemas":
                result.setdefault("dependencies", {}).update(older(part, named=True))
            case "$ref":
                result[word] = part.replace("#/$defs/", "#/definitions/")
            case _ if word not in ANNOTATIONS:
                result[word] = older(part)
    if "$ref" in result and len(result) > 1:
        # Draft 7 does not look at what stands beside a reference.
        result["allOf"] = [{"$ref": result.pop("$ref")}, *result.get("allOf", ())]
    return result


class _Plain(ast.NodeTransformer):
    """Takes the texts of errors out, and what is made for them alone."""

    def visit_Raise(self, node: ast.Raise) -> ast.Raise:
        return ast.copy_location(ast.Raise(ast.Name("Refused", ast.Load())), node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        self.generic_visit(node)
        node.type = ast.Name("Refused", ast.Load())
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.args.args, node.args.defaults = node.args.args[:1], []
        node.args.args[0].annotation = ast.Name("object", ast.Load())
        node.returns = ast.Constant(None)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id.startswith("validate"):
            node.args = node.args[:1]
        return node


def compiled() -> str:
    """The compiled schema's source."""
    tree = ast.parse(fastjsonschema.compile_to_code(older(schema()), use_default=False))
    tree.body = [
        part
        for part in tree.body
        if isinstance(part, ast.FunctionDef)
        or (isinstance(part, ast.Assign) and ast.unparse(part.targets[0]) == "REGEX_PATTERNS")
    ]
    return HEADER + ast.unparse(ast.fix_missing_locations(_Plain().visit(tree))) + "\n"


if __name__ == "__main__":
    COMPILED.write_text(compiled(), "utf-8")

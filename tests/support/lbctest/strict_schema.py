"""Holds JSON documents against a published schema, and the schema against itself: no field can be added anywhere, and
none can be missing but those that are told."""

from __future__ import annotations

import copy
import json
import pathlib
import unittest

try:
    from jsonschema import Draft202012Validator
except ImportError:
    Draft202012Validator = None


def objects(value: object):
    """Every object in a document."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(inner)


def validator_of(path: pathlib.Path):
    if Draft202012Validator is None:
        raise unittest.SkipTest("python3-jsonschema is not installed")
    schema = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def check_documents(test: unittest.TestCase, validator, documents: dict[str, dict], loose: set[str]) -> int:
    """Gives the number of shapes of objects that were tried: of each shape, one object of one document."""
    seen = set()
    for name, original in documents.items():
        errors = [f"{e.json_path}: {e.message}" for e in validator.iter_errors(original)]
        test.assertEqual(errors, [], name)
        document = copy.deepcopy(original)
        for target in objects(document):
            shape = tuple(target)
            if shape in seen:
                continue
            seen.add(shape)
            target["surprise"] = 1
            test.assertFalse(validator.is_valid(document), f"{name}: {shape} takes any field")
            del target["surprise"]
            for key in shape:
                value = target.pop(key)
                test.assertEqual(validator.is_valid(document), key in loose, f"{name}: {shape}: {key}")
                target[key] = value
    return len(seen)

"""What `--emit json` and `--message-format json` print, held against the published schemas.

    validate.py LBC SCHEMAS SITE...

Every site's output must be valid and the same twice; the sites together must use every field that the schema knows;
and the schema must be strict: no field can be added anywhere, and those named in OPTIONAL are all that can be missing.
"""

import copy
import json
import pathlib
import re
import subprocess
import sys
import unittest

try:
    from jsonschema import Draft202012Validator
except ImportError:
    print("skipped: python3-jsonschema is not installed")
    sys.exit(77)

HERE = pathlib.Path(__file__).resolve().parent
OPTIONAL = {f"{owner}.{field}" for owner, fields in {
    "site": "sync",
    "guard": "mark",
    "services": "description persistent quorum",
    "persistent": "netmask engine",
    "quorum": "up down",
    "real_servers": "director port connections notify_up notify_down",
    "connections": "min max",
    "sorry_servers": "director port",
    "checks": "every_ms timeout_ms retries retry_delay_ms warmup_ms port connect bind payload reply reply_length paths "
              "host version sni helo name type command dynamic user instance track file weight",
    "paths": "digest regex",
    "vips": "dev",
    "vrrp": "advert_ms preempt_delay_ms unicast_addresses auth notify group",
    "track_scripts": "weight every_ms",
    "sync": "instance maxlen group port ttl",
    "marks": "guard",
    "tunnels": "port",
    "virtual_services": "persistent",
}.items() for field in fields.split()}


def lbc(*arguments):
    done = subprocess.run([LBC, *arguments], capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr.decode("utf-8")


def compiled(site):
    status, text, said = lbc("compile", str(site), "--emit", "json")
    assert status == 0, f"{site}: status {status}\n{said}"
    return text


def schema_of(name):
    return json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))


def objects(schema, where="#"):
    """Every schema of an object in a schema, with its place; what only forbids a combination is left out."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield where, schema
        for key, value in schema.items():
            if key != "oneOf":
                yield from objects(value, f"{where}/{key}")
    elif isinstance(schema, list):
        for index, value in enumerate(schema):
            yield from objects(value, f"{where}/{index}")


def used(root, schema, value, where="#"):
    """Every (object, field) of the schema that a valid value has."""
    if "$ref" in schema:
        where = schema["$ref"]
        schema = root["$defs"][where.removeprefix("#/$defs/")]
    if isinstance(value, dict):
        for key, inner in value.items():
            yield where, key
            yield from used(root, schema["properties"][key], inner, f"{where}/properties/{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from used(root, schema["items"], inner, f"{where}/items")


def places(value, path=()):
    """Every object in a document, as the path to it."""
    if isinstance(value, dict):
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


def one_of_each_shape(document):
    """Of the objects at like places with like fields, the first."""
    shapes = {}
    for path in places(document):
        general = tuple("*" if isinstance(step, int) else step for step in path)
        shapes.setdefault((general, tuple(at(document, path))), path)
    return shapes.values()


def at(document, path):
    for step in path:
        document = document[step]
    return document


def alone(document, path):
    """A copy with nothing but what the path leads through in its lists: small enough to be validated often."""
    copied = copy.deepcopy(document)
    inner, shorter = copied, []
    for step in path:
        if isinstance(step, int):
            inner[:] = [inner[step]]
            step = 0
        shorter.append(step)
        inner = inner[step]
    return copied, shorter


class Schemas(unittest.TestCase):
    def test_they_are_schemas_and_describe_every_field(self):
        for name in ("plan", "message"):
            schema = schema_of(name)
            Draft202012Validator.check_schema(schema)
            defined = schema.get("$defs", {})
            for where, item in objects(schema):
                self.assertIs(item.get("additionalProperties"), False, where)
                self.assertLessEqual(set(item["required"]), set(item["properties"]), where)
                for key, field in item["properties"].items():
                    target = defined[field["$ref"].removeprefix("#/$defs/")] if "$ref" in field else field
                    self.assertTrue(field.get("description") or target.get("description"), f"{where}: {key}")
            for definition in defined:
                self.assertIn(f'"#/$defs/{definition}"', json.dumps(schema), "a definition that nothing uses")


class Plans(unittest.TestCase):
    def setUp(self):
        self.schema = schema_of("plan")
        self.validator = Draft202012Validator(self.schema)

    def test_every_site_is_valid_and_the_same_twice(self):
        for site in SITES:
            with self.subTest(site=site.name):
                text = compiled(site)
                self.assertEqual(text, compiled(site))
                self.assertTrue(text.endswith(b"}\n"))
                errors = [f"{error.json_path}: {error.message}" for error in
                          self.validator.iter_errors(json.loads(text))]
                self.assertEqual(errors, [])

    def test_one_director_has_the_site_and_its_own_plan(self):
        site = HERE / "everything.lb"
        everyone = json.loads(compiled(site))
        status, text, said = lbc("compile", str(site), "--emit", "json", "-d", "lb2")
        self.assertEqual(status, 0, said)
        one = json.loads(text)
        self.assertEqual(one["site"], everyone["site"])
        self.assertEqual(one["plans"], [plan for plan in everyone["plans"] if plan["director"] == "lb2"])

    def test_the_sites_use_every_field(self):
        seen = set()
        for site in SITES:
            seen.update(used(self.schema, self.schema, json.loads(compiled(site))))
        known = {(where, key) for where, item in objects(self.schema) for key in item["properties"]}
        self.assertEqual(known - seen, set())

    def test_every_string_of_a_site_is_in_its_output(self):
        source = (HERE / "everything.lb").read_text(encoding="utf-8")
        output = compiled(HERE / "everything.lb").decode("utf-8")
        code = "\n".join(line for line in source.splitlines() if not line.startswith("#"))
        strings = re.findall(r'"(?:[^"\\]|\\.)*"', code)
        self.assertGreater(len(strings), 15)
        for string in strings:
            self.assertIn(string, output)

    def test_no_field_can_be_added_and_only_optional_ones_be_missing(self):
        whole = json.loads(compiled(HERE / "everything.lb"))
        missed = set()
        for path in one_of_each_shape(whole):
            document, inner = alone(whole, path)
            target = at(document, inner)
            self.assertTrue(self.validator.is_valid(document), path)
            target["surprise"] = 1
            self.assertFalse(self.validator.is_valid(document), f"{path} takes any field")
            del target["surprise"]
            owner = next((step for step in reversed(path) if isinstance(step, str)), "")
            for key in list(target):
                value = target.pop(key)
                if self.validator.is_valid(document):
                    missed.add(f"{owner}.{key}")
                target[key] = value
        self.assertEqual(missed, OPTIONAL)


class Messages(unittest.TestCase):
    def test_every_message_is_a_valid_line(self):
        status, _, said = lbc("check", "--message-format", "json", str(HERE / "broken.lb"))
        self.assertEqual(status, 2)
        validator = Draft202012Validator(schema_of("message"))
        lines = [json.loads(line) for line in said.splitlines()]
        for line in lines:
            self.assertEqual([error.message for error in validator.iter_errors(line)], [], line)
        found = {line["id"] for line in lines}
        self.assertLessEqual({"unknown-statement", "port-range", "duplicate-name", "duplicate-mac"}, found)
        self.assertTrue(any(line["notes"] for line in lines))
        self.assertTrue(all(line["file"].endswith("broken.lb") for line in lines))

    def test_a_warning_is_one(self):
        status, _, said = lbc("check", "--message-format", "json", str(HERE / "everything.lb"))
        self.assertEqual(status, 0, said)
        self.assertLessEqual({json.loads(line)["severity"] for line in said.splitlines()}, {"warning"})


if __name__ == "__main__":
    LBC = sys.argv[1]
    SCHEMAS = pathlib.Path(sys.argv[2])
    SITES = [HERE / "everything.lb", *(pathlib.Path(site) for site in sys.argv[3:])]
    unittest.main(argv=sys.argv[:1])

"""docs/API.md says what the daemon's /openapi.json says.  --write renders it anew."""

import pathlib
import sys
import unittest

from tests.api import reference, world

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "API.md"


class Reference(unittest.TestCase):
    def setUp(self):
        self.world = world.World(engines=0)
        self.addCleanup(self.world.close)

    def test_the_page_is_current(self):
        rendered = reference.render(self.world.document)
        if "--write" in sys.argv:
            PAGE.write_text(rendered, encoding="utf-8")
        self.assertEqual(rendered.splitlines(), PAGE.read_text(encoding="utf-8").splitlines(),
                         "docs/API.md is out of date: python3 -m tests.api.test_reference --write")

    def test_every_call_and_body_is_there(self):
        rendered = reference.render(self.world.document)
        for path, methods in self.world.document["paths"].items():
            for method in methods:
                self.assertIn(f"### {method.upper()} {path}\n", rendered)
        for name in self.world.document["components"]["schemas"]:
            self.assertIn(f"### {name}\n", rendered)


if __name__ == "__main__":
    unittest.main(argv=[a for a in sys.argv if a != "--write"])

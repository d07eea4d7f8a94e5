"""docs/brokers.md says what is true."""

import re
from pathlib import Path

TEXT = (Path(__file__).parents[2] / "docs/brokers.md").read_text()


def test_the_examples_of_the_page_run():
    examples = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        exec(compile(example, "docs/brokers.md", "exec"), {"__name__": "example"})


def test_every_trap_on_the_page_has_its_test():
    named = set(re.findall(r"`(test_\w+)`", TEXT))
    written = {
        name
        for file in Path(__file__).parent.glob("test_*.py")
        for name in re.findall(r"def (test_\w+)", file.read_text())
    }
    assert len(named) >= 20
    assert named <= written
    assert {name for name in written if name.startswith("test_trap_")} <= named

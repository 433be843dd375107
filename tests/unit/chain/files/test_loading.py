"""Files of steps: what is read, and what is refused with file, line and fix."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.chain.files import steps
from worker import App, ConfigurationError
from worker.chain.declared import StepEntry
from worker.chain.files.dialect import DEEPEST, Unreadable, read
from worker.chain.files.loading import LARGEST, load_steps
from worker.settings import Settings
from worker.settings.model import ChainsSettings
from worker.wiring.plugins import registry_of

CLASS = "tests.unit.chain.files.steps.DoSomething"


def load(tmp_path: Path, text: str | bytes) -> tuple[list[StepEntry], list[str]]:
    """Load one file."""
    (tmp_path / "p.yml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_steps(["p.yml"], tmp_path)


def tagged(*tags: str, cls: str = CLASS, service: str = "a") -> str:
    """A document with one service."""
    lines = "".join(f"      - {tag}\n" for tag in tags)
    return f"services:\n  {service}:\n    class: {cls}\n    tags:\n{lines}"


def fault(tmp_path: Path, text: str | bytes) -> str:
    """The one fault of a file."""
    _, faults = load(tmp_path, text)
    assert len(faults) == 1, faults
    return faults[0]


def test_a_service_is_a_step_by_its_name(tmp_path: Path) -> None:
    """With all that its tag says; camelCase is read as snake_case."""
    entries, faults = load(
        tmp_path,
        tagged(
            "{ name: oro.api.processor, action: get, group: g, priority: -10, requestType: a|b, parentClass: X }"
        ),
    )
    (entry,) = entries
    assert faults == []
    assert (entry.target, entry.name, entry.source) == (steps.DoSomething, "a", "p.yml:5")
    assert (entry.action, entry.group, entry.priority) == ("get", "g", -10)
    assert entry.when == {"request_type": "a|b", "parent_class": "X"}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("!json_api", "!json_api"),
        ("!a&b", "!a&b"),
        ("'!a'", "!a"),
        ("True", "true"),
        ("'True'", "True"),
        ("1.0", "1"),
        ("007", "007"),
        ("no", "no"),
        ("exists", "exists"),
        (r'"Oro\Bundle\new\x"', r"Oro\Bundle\new\x"),
        (r'"a\\b\"c"', r'a\b"c'),
        ("'it''s'", "it's"),
        ('"it\'s"', "it's"),
        (r"Oro\Bundle\User", r"Oro\Bundle\User"),
    ],
)
def test_values_are_read_as_they_are_written(tmp_path: Path, written: str, expected: str) -> None:
    """No text becomes anything else but truth values and decimals, which compare as those of Python do."""
    entries, faults = load(tmp_path, tagged(f"{{ name: oro.api.processor, x: {written}, y: z }}"))
    assert faults == []
    assert entries[0].when == {"x": expected, "y": "z"}


def test_the_class_may_be_the_services_name_and_lines_may_be_blocks(tmp_path: Path) -> None:
    """As the source allows it; ``public`` says nothing here."""
    entries, faults = load(
        tmp_path,
        f"# comment\nservices:\n  {CLASS}:\n    public: true\n    tags:\n"
        "    - name: oro.api.processor\n      action: get\n      requestType: !rest\n",
    )
    assert faults == []
    assert (entries[0].target, entries[0].when) == (steps.DoSomething, {"request_type": "!rest"})


@pytest.mark.parametrize("text", ["", "# nothing\n", "services:\n", "services: {}\n", "\ufeffservices: ~\n"])
def test_a_file_without_services_has_no_steps(tmp_path: Path, text: str) -> None:
    """Nothing is wrong with it."""
    assert load(tmp_path, text) == ([], [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- a\n", "p.yml:1: expected a table with the key services"),
        ("parameters: {}\n", "p.yml:1: unknown key 'parameters'; expected services alone"),
        ("services: [a]\n", "p.yml:1: services: expected a table of services by name"),
        ("services:\n  a: b\n", "p.yml:2: service 'a': expected a table with class and tags"),
        (
            f"{tagged('{ name: oro.api.processor }')}    tag: []\n",
            "p.yml:6: service 'a': unknown key 'tag'; did you mean 'tags'?",
        ),
        (
            f"{tagged('{ name: oro.api.processor }')}    arguments: ['@b']\n",
            "p.yml:6: service 'a': constructor arguments are not read; give its parameters defaults",
        ),
        (
            "services:\n  a: {class: [b], tags: []}\n",
            "p.yml:2: service 'a': class: expected package.module.Class",
        ),
        (
            "services:\n  a:\n    class: b.C\n",
            "p.yml:2: service 'a': tags: expected a list of tags, like - { name: oro.api.processor, action: get }",
        ),
        (
            tagged("x"),
            "p.yml:5: service 'a': tag: expected a table, like { name: oro.api.processor, action: get }",
        ),
        (
            tagged("{ action: get }"),
            "p.yml:5: service 'a': tag has no name; expected name: oro.api.processor",
        ),
        (
            tagged("{ name: other }"),
            "p.yml:5: service 'a': tag is named 'other'; expected name: oro.api.processor",
        ),
        (
            tagged("{ name: oro.api.processor, priority: high }"),
            "p.yml:5: service 'a': tag: priority: 'high', expected a whole number",
        ),
        (
            tagged("{ name: oro.api.processor, priority: ٣ }"),
            "p.yml:5: service 'a': tag: priority: '٣', expected a whole number",
        ),
        (
            tagged("{ name: oro.api.processor, x: NULL }"),
            "p.yml:5: service 'a': tag: x: has no value; remove it, or write one",
        ),
        (
            tagged("{ name: oro.api.processor, x: [a, b] }"),
            "p.yml:5: service 'a': tag: x: expected one value; join several by & or by |",
        ),
        (
            tagged("{ name: oro.api.processor, x: }"),
            "p.yml:5: service 'a': tag: x: has no value; remove it, or write one",
        ),
        (
            tagged("{ name: oro.api.processor, requestType: a, request_type: b }"),
            "p.yml:5: service 'a': tag: 'request_type' and another key are both read as 'request_type'",
        ),
        (
            tagged("{ name: oro.api.processor, name: b }"),
            "p.yml:5: 'name' stands in line 5 already; expected it once",
        ),
        ("services: {}\nservices: {}\n", "p.yml:2: 'services' stands in line 1 already; expected it once"),
        ("services:\n  ? [a]\n  : b\n", "p.yml:2: a list or table is a key; expected text"),
        (
            "a: b\n---\nc: d\n",
            (
                "p.yml:2: expected a single document in the stream; but found another document; "
                "put all services under one key services"
            ),
        ),
        (
            "services: {a: \n",
            (
                "p.yml:2: while parsing a flow node; expected the node content, but found '<stream end>'; "
                "close what is open: a brace, a bracket or a quote"
            ),
        ),
        (
            "services:\n\ta: b\n",
            (
                "p.yml:2: while scanning for the next token; found character '\\t' that cannot start any token; "
                "use blanks, not tabs"
            ),
        ),
        (
            tagged("{ name: oro.api.processor, x: @a }"),
            (
                "p.yml:5: while scanning for the next token; found character '@' that cannot start any token; "
                "quote the text"
            ),
        ),
        ("services: a: b\n", "p.yml:1: mapping values are not allowed here; quote the text, or begin a line"),
        (b"services:\n  \xff: a\n", "p.yml:2: is not UTF-8; save it as UTF-8"),
        ("services:\n  \x07: a\n", "p.yml:2: has a character that no YAML may have, 0x7; remove it"),
    ],
)
def test_what_cannot_be_loaded_is_told_with_file_line_and_fix(
    tmp_path: Path, text: str | bytes, expected: str
) -> None:
    """One fault each."""
    found = fault(tmp_path, text)
    assert found == expected


@pytest.mark.parametrize(
    ("cls", "expected"),
    [
        ("Nothing", "class 'Nothing': expected package.module.Class"),
        ("no.such.Thing", "class 'no.such.Thing': there is no module 'no'"),
        (
            "tests.unit.chain.files.steps.Nothing",
            "class 'tests.unit.chain.files.steps.Nothing': module tests.unit.chain.files.steps has no Nothing",
        ),
        (
            "tests.unit.chain.files.steps.not_a_class",
            (
                "class 'tests.unit.chain.files.steps.not_a_class': module tests.unit.chain.files.steps has not_a_class, "
                "which is no class"
            ),
        ),
    ],
)
def test_a_class_that_there_is_not_is_a_fault_of_its_service(tmp_path: Path, cls: str, expected: str) -> None:
    """Nothing is made of it."""
    assert (
        fault(tmp_path, tagged("{ name: oro.api.processor }", cls=cls)) == f"p.yml:3: service 'a': {expected}"
    )


def test_all_that_is_wrong_with_a_tag_is_told(tmp_path: Path) -> None:
    """Not the first of it alone; what is wrong with its class hides nothing either."""
    tag = "{ name: x, action: get, group: lod, priority: high, a: [b], c: }"
    (tmp_path / "p.yml").write_text(
        tagged(tag, "{ name: oro.api.processor, action: get, group: lod }", cls="no.C")
    )
    app = App("api")
    app.action("get", groups={"load": 1})
    with pytest.raises(ConfigurationError) as caught:
        registry_of(app, Settings(base=tmp_path, chains=ChainsSettings(files=("p.yml",))))
    assert caught.value.faults == (
        "p.yml:5: service 'a': tag: a: expected one value; join several by & or by |",
        "p.yml:5: service 'a': tag: c: has no value; remove it, or write one",
        "p.yml:5: service 'a': tag is named 'x'; expected name: oro.api.processor",
        "p.yml:5: service 'a': tag: priority: 'high', expected a whole number",
        "p.yml:3: service 'a': class 'no.C': there is no module 'no'",
        "step a of action 'get' (p.yml:6): group='lod' is not declared for the action; did you mean 'load'?",
    )


def test_a_module_that_ends_the_process_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command would end with success, and nothing would say why no step runs."""
    (tmp_path / "ending_steps.py").write_text("raise SystemExit(0)")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = fault(tmp_path, tagged("{ name: oro.api.processor }", cls="ending_steps.Load"))
    assert found.endswith("importing ending_steps failed: SystemExit: 0")


def test_a_module_that_raises_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it raised is in the fault."""
    (tmp_path / "broken_steps.py").write_text("raise RuntimeError('no database')")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = fault(tmp_path, tagged("{ name: oro.api.processor }", cls="broken_steps.Load"))
    assert found.endswith("importing broken_steps failed: RuntimeError: no database")


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("a: !!python/object/apply:os.system ['echo']\n", 1, "tags are not read"),
        ("a: 1\nb: !<tag:yaml.org,2002:python/name:os.system> x\n", 2, "tags are not read"),
        ("a: &x [1]\nb: 1\n", 1, "anchors (&name) are not read"),
        ("a: 1\nb: *x\n", 2, "aliases (*name) are not read"),
        ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), 1, "lists and tables inside one another"),
        ("[" * 100_000, 1, "lists and tables inside one another"),
        ("{a: " * 50_000, 1, "lists and tables inside one another"),
        ("- " * 100_000, 1, "lists and tables inside one another"),
    ],
)
def test_hostile_documents_are_refused(text: str, line: int, what: str) -> None:
    """Nothing is made, nothing explodes, nothing overflows."""
    with pytest.raises(
        Unreadable, match=what.replace("(", r"\(").replace(")", r"\)").replace("*", r"\*")
    ) as caught:
        read(text.encode(), [])
    assert caught.value.line == line


def test_all_that_is_wrong_in_all_files_is_told_at_once(tmp_path: Path) -> None:
    """What stands there twice hides nothing of the rest, and no file hides another's faults."""
    (tmp_path / "a.yml").write_text(
        "services:\n  a: {}\n  a: {}\n  b: { tagz: 1, tagz: 2 }\n  ? [c]\n  : d\nother: 1\nother: 2\n"
    )
    (tmp_path / "b.yml").write_text("services:\n  a: { tags: 1, tags: 2 }\n  a: {\n")
    (tmp_path / "c.yml").write_text("x: 1\nx: 2\nx: 3\n")
    _, faults = load_steps(["a.yml", "b.yml", "c.yml"], tmp_path)
    told = [fault.partition(": ")[::2] for fault in faults]
    assert [(where, what) for where, what in told if "already" in what or "is a key" in what] == [
        ("a.yml:3", "'a' stands in line 2 already; expected it once"),
        ("a.yml:4", "'tagz' stands in line 4 already; expected it once"),
        ("a.yml:5", "a list or table is a key; expected text"),
        ("a.yml:8", "'other' stands in line 7 already; expected it once"),
        ("b.yml:2", "'tags' stands in line 2 already; expected it once"),
        ("b.yml:3", "'a' stands in line 2 already; expected it once"),
        ("c.yml:2", "'x' stands in line 1 already; expected it once"),
        ("c.yml:3", "'x' stands in line 1 already; expected it once"),
    ]
    rest = "\n".join(fault for fault in faults if "already" not in fault)
    for expected in (
        "a.yml:2: service 'a': tags: expected a list of tags",
        "a.yml:4: service 'b': unknown key 'tagz'",
        "a.yml:7: unknown key 'other'; expected services alone",
        "c.yml:1: unknown key 'x'; expected services alone",
    ):
        assert expected in rest
    assert "close what is open" in rest


def test_a_document_that_doubles_itself_is_refused(tmp_path: Path) -> None:
    """A few lines of aliases would be billions of entries."""
    laughs = "a: &a [x, x]\n" + "".join(
        f"{name}: &{name} [*{was}, *{was}]\n" for was, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert "anchors" in fault(tmp_path, laughs)


def test_a_huge_file_and_what_is_no_file_are_refused(tmp_path: Path) -> None:
    """Neither is read to its end."""
    assert "split it" in fault(tmp_path, b"#" * (LARGEST + 1))
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    _, faults = load_steps(["pipe", "folder", "missing.yml"], tmp_path)
    assert faults[:2] == [
        "pipe: is no file; expected a YAML file ([chains] files)",
        "folder: is no file; expected a YAML file ([chains] files)",
    ]
    assert faults[2].startswith(
        "missing.yml: cannot be read: No such file or directory; expected a YAML file in "
    )


def test_faults_of_all_files_come_at_once(tmp_path: Path) -> None:
    """With those of what Python declares; and one service may stand in one file only."""
    (tmp_path / "one.yml").write_text(tagged("{ name: oro.api.processor, action: nowhere }", "{ name: x }"))
    (tmp_path / "two.yml").write_text(tagged("{ name: oro.api.processor, group: g }"))
    app = App("api")
    app.action("get", groups={"a": 1, "b": 1})
    with pytest.raises(ConfigurationError) as caught:
        registry_of(app, Settings(base=tmp_path, chains=ChainsSettings(files=("one.yml", "two.yml"))))
    assert caught.value.faults == (
        "one.yml:6: service 'a': tag is named 'x'; expected name: oro.api.processor",
        "two.yml:5: service 'a' stands in one.yml already; expected one of them",
        "action 'get': groups 'a' and 'b' share the priority 1; give each its own",
        (
            "step a of action 'nowhere' (one.yml:5): there is no action of this name; known: get; "
            "declare it with app.action(...)"
        ),
        "step a (two.yml:5): group='g' without an action, and groups are an action's own; expected action= beside it",
    )


def test_files_alone_are_refused_where_they_are_wrong(tmp_path: Path) -> None:
    """Also where all that Python declares is right."""
    (tmp_path / "p.yml").write_text("x: y\n")
    with pytest.raises(ConfigurationError, match="unknown key 'x'"):
        registry_of(App("api"), Settings(base=tmp_path, chains=ChainsSettings(files=("p.yml",))))


async def test_services_of_one_class_are_objects_of_their_own_and_made_when_they_apply(
    tmp_path: Path,
) -> None:
    """One name, one object."""
    steps.made.clear()
    text = tagged(
        "{ name: oro.api.processor, action: get }", "{ name: oro.api.processor, action: get, priority: -1 }"
    )
    second = tagged("{ name: oro.api.processor, action: get, format: csv }", service="b").removeprefix(
        "services:\n"
    )
    (tmp_path / "p.yml").write_text(text + second)
    app = App("api")
    app.action("get")
    registry_of(app, Settings(base=tmp_path, chains=ChainsSettings(files=("p.yml",))))
    assert len((await app.run_action("get", format="json")).result) == 2
    assert steps.made == ["DoSomething"]
    assert len((await app.run_action("get")).result) == 3
    assert steps.made == ["DoSomething"] * 2


def test_without_files_no_yaml_is_loaded() -> None:
    """The reader costs nothing where it is not asked for."""
    code = (
        "import sys; from worker import App; from worker.settings import Settings; "
        "from worker.wiring.plugins import registry_of; registry_of(App('a'), Settings()); "
        "assert 'yaml' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

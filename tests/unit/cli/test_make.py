"""worker make."""

import importlib.util

import pytest

from worker import App
from worker.resources.declared import ProcessorEntry


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[path.stem] = module  # annotations are looked up there
    try:
        spec.loader.exec_module(module)
        whole = App("whole")
        whole.include(module.app)
        return whole.registry()
    finally:
        del sys.modules[path.stem]


@pytest.mark.parametrize(
    ("name", "file", "wire"),
    [
        ("PlaceOrder", "place_order.py", "PlaceOrder"),
        ("place-order", "place_order.py", "PlaceOrder"),
        ("mail.send_welcome", "send_welcome.py", "mail.send_welcome"),
        ("HTTPCall2", "http_call2.py", "HTTPCall2"),
        ("Import", "import_.py", "Import"),
    ],
)
def test_a_command_that_works_is_written(worker, tmp_path, name, file, wire):
    """make command NAME writes a module that an application can include."""
    page = worker("make", "command", name)
    assert (page.code, page.out) == (0, f"created {file}\n")
    assert list(load(tmp_path / file).messages) == [wire]


def test_a_middleware_that_works_is_written_into_a_folder(worker, tmp_path):
    """make middleware NAME --dir FOLDER writes it there and makes the folder."""
    assert worker("make", "middleware", "Audit", "--dir", "shop/parts", "--json").json == {
        "created": ["shop/parts/audit.py"]
    }
    assert len(load(tmp_path / "shop/parts/audit.py").middleware) == 1


def test_a_file_is_never_written_over(worker, tmp_path):
    """A file that is there stays as it is, also with --yes: exit 5."""
    (tmp_path / "audit.py").write_text("mine")
    assert worker("make", "middleware", "Audit", "--yes").code == 5
    assert (tmp_path / "audit.py").read_text() == "mine"


@pytest.mark.parametrize(
    ("kind", "name"), [("processor", "None"), ("command", "True"), ("command", "shop.false")]
)
def test_a_name_that_no_class_can_have_exits_2(worker, tmp_path, kind, name):
    """Python would not read the file."""
    page = worker("make", kind, name)
    assert page.code == 2
    assert "is a word of Python" in page.err
    assert [path.name for path in tmp_path.iterdir()] == ["worker.toml"]


@pytest.mark.parametrize(
    ("kind", "name"), [("processor", "class"), ("middleware", "import"), ("command", "async")]
)
def test_a_file_can_be_imported_by_its_name(worker, tmp_path, kind, name):
    """A word of Python gets an underscore."""
    assert worker("make", kind, name).out == f"created {name}_.py\n"
    assert f"app.include({name}_.app)" in (tmp_path / f"{name}_.py").read_text()


@pytest.mark.parametrize("name", ["", "1x", "../evil", "a b", "ä"])
def test_a_name_that_cannot_be_one_exits_2(worker, tmp_path, name):
    """What is no name: exit 2, and nothing is written."""
    assert worker("make", "command", name).code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["worker.toml"]


def test_a_state_processor_that_works_is_written(worker, tmp_path):
    """make processor NAME writes a class that operations can name, and never over a file: exit 5."""
    page = worker("make", "processor", "user-processor")
    assert (page.code, page.out) == (0, "created user_processor.py\n")
    [entry] = load(tmp_path / "user_processor.py").entries_of(ProcessorEntry)
    assert entry.name == "UserProcessor"
    assert worker("make", "processor", "UserProcessor").code == 5

"""``python -m worker`` is the command ``worker``; the processes that it starts run this file by its path."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path


def _import_this_package() -> None:
    """Import the package that this file is of, whatever is called ``worker`` on the path."""
    folder = Path(__file__).parent
    if not sys.flags.safe_path:
        sys.path.append(sys.path.pop(0))  # the current folder goes behind everything that is installed
    if str(folder.parent) not in sys.path:
        sys.path.append(str(folder.parent))
    spec = spec_from_file_location("worker", folder / "__init__.py", submodule_search_locations=[str(folder)])
    if "worker" not in sys.modules and spec is not None and spec.loader is not None:
        module = sys.modules["worker"] = module_from_spec(spec)
        spec.loader.exec_module(module)


if __name__ == "__main__":
    _import_this_package()
    from worker.cli.main import main

    sys.exit(main())

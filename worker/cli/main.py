"""The entry: what is done before the command line is read. Signals come first, then what takes time to import."""

from __future__ import annotations

import sys

from worker.__main__ import heed_signals


def main() -> int:
    """Run the command line with the process's own arguments; return the exit code."""
    heed_signals(sys.argv[1:])
    from worker.cli.packages import pin
    from worker.cli.program import program
    from worker.cli.streams import in_utf8, mend_streams
    from worker.cli.structlog_alone import import_structlog

    mend_streams()
    in_utf8()
    pin("transports")
    import_structlog()  # before whatever else imports it
    from worker.runtime.process.parent import follow_parent
    from worker.runtime.process.readiness import tell_end

    follow_parent()
    code = program.main(prog_name="worker", standalone_mode=False)
    tell_end()
    return code

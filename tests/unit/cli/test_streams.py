"""Standard streams: there, in UTF-8, and forgiving."""

import contextlib
import os
import subprocess
import sys

from worker.cli.streams import forgiving, in_utf8


def test_what_nobody_reads_is_dropped():
    """Writing to a pipe whose reader is gone, and flushing, raises nothing."""
    reader, writer = os.pipe()
    os.close(reader)
    with forgiving(writer) as stream:
        print("ä" * 100_000, file=stream)
        stream.flush()
    os.close(writer)


def test_closing_a_stream_that_all_share_closes_it_for_nobody():
    """A handler may close ``sys.stdout``; what others print, and the program's end, find it open."""
    reader, writer = os.pipe()
    stream = forgiving(writer)
    print("a", file=stream)
    stream.close()
    print("b", file=stream, flush=True)
    assert os.read(reader, 100) == b"a\nb\n"
    os.close(reader)
    os.close(writer)


def test_a_reader_that_does_not_read_holds_up_nobody():
    """What is too much for the pipe is dropped after a moment, and what comes once it is read again is there."""
    reader, writer = os.pipe()
    with forgiving(writer, patience=0.001) as stream:
        for _ in range(3):
            print("x" * 1_000_000, file=stream, flush=True)
        os.set_blocking(reader, False)
        held = 0
        with contextlib.suppress(BlockingIOError):
            while part := os.read(reader, 1_000_000):
                held += len(part)
        assert 0 < held < 1_000_000
        print("again", file=stream, flush=True)
        assert os.read(reader, 100) == b"again\n"
    os.close(reader)
    os.close(writer)


def test_closed_streams_are_open_and_in_utf_8():
    """Nothing else gets their numbers, and what is started from there has them, too."""
    code = (
        "import os, sys; from worker.cli.streams import mend_streams; mend_streams()\n"
        "print(sys.stdin.read(), 'ä'); print('ä', file=sys.stderr)\n"
        "good = all(os.get_inheritable(n) and os.path.samestat(os.fstat(n), os.stat(os.devnull)) for n in range(3))\n"
        "os._exit(3 if good and sys.stdout.encoding == sys.stderr.encoding == 'utf-8' else 4)"
    )
    shell = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]
    assert subprocess.run([*shell, sys.executable, "-c", code], timeout=60).returncode == 3


def test_a_locale_of_another_encoding_starts_the_process_anew_in_utf_8():
    """With the same command line, once."""
    started: list[list[str]] = []
    for encoding in ("ascii", "iso8859-1", "utf-8", "UTF8"):
        in_utf8(
            encoding=lambda it=encoding: it,
            original=["python", "-m", "worker", "send"],
            replace=lambda _, command: started.append(command),
        )
    assert started == [["python", "-X", "utf8", "-m", "worker", "send"]] * 2

"""Starts the command line; Ctrl-C while it still loads ends it without a word."""

import signal


def main() -> None:
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from onewindow.cli import main as run  # noqa: PLC0415 - this is what takes its time

    signal.signal(signal.SIGINT, before)
    run()


if __name__ == "__main__":
    main()

"""What all tests start from."""

import signal

# A runner started in the background ignores Ctrl-C, and so would tests of it and their children.
signal.signal(signal.SIGINT, signal.default_int_handler)

"""`python -m cleanroom`: the same as the command `cleanroom`."""

from cleanroom.cli import main

if __name__ == "__main__":
    main()

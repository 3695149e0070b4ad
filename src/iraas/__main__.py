"""`python -m iraas` is `iraas`."""

from iraas.cli import main

if __name__ == "__main__":
    main()

"""`python -m engagements` is the `sixfold` command."""

from engagements.cli import main

if __name__ == "__main__":
    main()

"""`python -m engagements.demo` is what `make demo` runs."""

from engagements.demo.run import main

if __name__ == "__main__":
    main()

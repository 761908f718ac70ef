"""Quality: suites as data, their evaluation with Great Expectations, and readable reports."""

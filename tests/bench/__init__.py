"""What ForgeLab costs: `make bench`, or `python -m tests.bench PART ...`. Ratios from one run, never timed tests."""

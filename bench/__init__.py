"""What ForgeLab costs: `make bench`, or `python -m bench PART ...`. Ratios from one run, never timed tests."""

"""What devices measure by the minute: asking them, keeping it, rolling it up, and what is called down."""

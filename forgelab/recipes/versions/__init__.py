"""Which versions of a component exist, until when they are supported, and where they come from."""

"""A kind of run for tests that are about runs, not about what they are for."""

from forgelab.runs import kinds
from forgelab.runs.kinds import Page, RunKind

PAGE = Page("device_list", "Show all devices", of_subject=False)
TEST = RunKind("test", "Test", "devices.Device", doing="tested", result=PAGE)
kinds.register(TEST)

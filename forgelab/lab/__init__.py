"""Virtual Debian devices on this machine, for trying ForgeLab without spare hardware and for the tests.

Nothing here needs Django. A guest's root is the machine's root with fewer capabilities: for trusted tests only.
"""

from .device import LabDevice
from .errors import LabError, LabUnavailable
from .lab import Lab

__all__ = ["Lab", "LabDevice", "LabError", "LabUnavailable"]

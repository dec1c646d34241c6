"""What tests of several backends share lies beside the conformance suite."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent / name) for name in ("conformance", "peft_local")]

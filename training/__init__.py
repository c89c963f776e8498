"""Everything that needs TensorFlow. A web process never imports this package."""

import os

# Without messages about missing CUDA libraries; warnings and errors still appear.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")

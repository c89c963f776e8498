"""All that needs TensorFlow. A web process never imports what lies in here."""

import os

# TensorFlow tells of every CUDA library that it does not find; its warnings and errors stay.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")

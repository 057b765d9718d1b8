"""Results as files that people open in other programs. Knows the layouts; computes no score."""

"""The vocabulary: value types and frozen models that every other package speaks. Imports nothing of ours."""

"""Tests against real Docker engines: each engine is a dockerd in namespaces of its own."""

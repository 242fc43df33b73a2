"""Tests of b2bua.events."""

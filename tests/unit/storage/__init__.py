"""Tests of b2bua.storage, on both databases."""

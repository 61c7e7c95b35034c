"""Anatomy, findings and rewrites of any module."""

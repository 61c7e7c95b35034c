"""The audit: what is wrong with the samples, before anything is trained on them. One check a file."""

from fieldcraft.data.audit.audit import audit

__all__ = ["audit"]

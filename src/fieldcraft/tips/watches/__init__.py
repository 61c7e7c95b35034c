"""Symptoms: what the watch hands of tips look for while a network trains. One file a symptom."""

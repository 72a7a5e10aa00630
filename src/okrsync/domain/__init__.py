"""What okrsync talks about: frozen values, ids, settings, and the protocols of trackers, store and clock.

Imports nothing else of okrsync and does no I/O. Every other room speaks in these words.
"""

"""Publish what is heard to an MQTT broker."""

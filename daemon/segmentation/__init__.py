"""From audio to windows: when an utterance starts and ends, and how it is cut."""

"""Sources of audio: microphones, files, pipes, other machines."""

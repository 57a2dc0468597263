"""Where audio comes from: microphones, files, pipes, other machines."""

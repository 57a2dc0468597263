"""Training of the bundled models: collect text and speech, synthesise, align, train, evaluate, export."""

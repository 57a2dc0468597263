"""The recipe of the bundled model: collect text and speech, synthesise, align, train, evaluate, export."""

"""How a data set is named."""

FORMS = (
    "bundled, hf:NAME[:CONFIG[:SPLIT]], a file (JSON lines, CSV, TSV), or a directory (audiofolder, Common "
    "Voice, LibriSpeech, LJSpeech, Kaldi, pairs of audio and .txt)"
)

"""How a data set is named."""

FORMS = (
    "bundled, hf:NAME[:CONFIG[:SPLIT]], a file (JSON lines, CSV, TSV, Parquet), or a directory (audiofolder, Common "
    "Voice, LibriSpeech, LJSpeech, Kaldi, Parquet, save_to_disk, pairs of audio and .txt)"
)

"""Readable text, made from recognised words, for the daemon and for clients.

CTC models write one case, no punctuation, and numbers as they are spoken. Sentences, their case and their full stops
are added by rules that hold for all scripts, and more by those of a language.
"""

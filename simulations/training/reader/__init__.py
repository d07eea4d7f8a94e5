"""Readers: classifiers of texts, trained on labelled ones, examined on texts never trained on."""

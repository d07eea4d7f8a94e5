"""Who says how a release sounds in a session: the lexicon, or a classifier that the configuration names."""

from ..tools.sentiment.classifier import SentimentClassifier
from .config import ConfigError, SessionConfig


def tone_judge(config: SessionConfig) -> SentimentClassifier | None:
    """The classifier whose P(positive) - P(negative) is the tone; None: the lexicon's balance of words.

    Raises:
        ConfigError: the mind of a session is named, which judges already.
        InputError: there is no such classifier.
    """
    if config.sentiment is None:
        return None
    if config.sentiment.startswith("prompt:"):
        raise ConfigError(
            f"The value {config.sentiment!r} of 'sentiment' is refused: a session's mind reads the tone as evidence, so"
            " name lexicon, embedding, reader:FOLDER or transformers:FOLDER."
        )
    # imported here: a session with the lexicon needs none of it
    from .sentiment_comparison import open_classifier

    with open_classifier(config.sentiment) as judge:
        return judge


def recorded_judge(judge: SentimentClassifier | None) -> dict[str, str]:
    """What the chain records of it: nothing of the lexicon, as before there was a choice."""
    return {} if judge is None else {"sentiment": judge.fingerprint}

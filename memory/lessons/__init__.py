"""Lessons: what was said, on what, in which market, and what followed; recalled where a like situation comes."""

from .experience import Experience
from .lesson import Lesson, lesson_of, situation_of
from .tool import RECALL, recall_tool

__all__ = ["RECALL", "Experience", "Lesson", "lesson_of", "recall_tool", "situation_of"]

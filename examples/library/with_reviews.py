"""The application with its reviews, which MongoDB keeps; ``[documents] url`` says where it is."""

from examples.library import reviews
from examples.library.app import app as library
from worker import App

app = App("library")
"""What ``worker run -A examples.library.with_reviews:app`` serves."""

app.include(library)
app.include(reviews.part)

"""The books that may be lent."""

from typing import NamedTuple


class Book(NamedTuple):
    """One book. slug: its place in the URL."""

    slug: str
    title: str
    author: str
    year: int


BOOKS = (
    Book("middlemarch", "Middlemarch", "George Eliot", 1871),
    Book("the-moonstone", "The Moonstone", "Wilkie Collins", 1868),
    Book("north-and-south", "North and South", "Elizabeth Gaskell", 1854),
    Book("villette", "Villette", "Charlotte Brontë", 1853),
    Book("the-warden", "The Warden", "Anthony Trollope", 1855),
    Book("vanity-fair", "Vanity Fair", "William Makepeace Thackeray", 1848),
)

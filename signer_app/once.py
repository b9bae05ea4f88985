"""Parts of an object that are made when first asked for, once, whichever threads ask at the same time.

Standard library only. `functools.cached_property` has no lock from Python 3.12 on, and a lock for all objects before.
"""

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


class made_once(Generic[T]):  # noqa: N801 - used as a decorator, as `property` is
    """A property that is made at the first look and kept in the object's `__dict__` under its own name.

    The object has a lock `once` (`threading.RLock`), which is held while a part is made; whoever takes a part away
    again holds it too.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, owner: None, kind: type) -> Self: ...

    @overload
    def __get__(self, owner: object, kind: type) -> T: ...

    def __get__(self, owner: Any, kind: type) -> T | Self:
        """The part, which is made now if it isn't there."""
        if owner is None:
            return self
        name = self._make.__name__
        with owner.once:
            if name not in owner.__dict__:
                owner.__dict__[name] = self._make(owner)
            made: T = owner.__dict__[name]
            return made

"""A workspace whose parts are asked for by several threads, and whose settings are changed by several."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from signer_app.once import made_once
from signer_app.store.settings import Settings
from signer_app.workspace import Overrides, workspace


class House:
    """One slow part."""

    def __init__(self) -> None:
        self.once = threading.RLock()
        self.together = threading.Barrier(4)
        self.made = 0

    @made_once
    def part(self) -> object:
        """The part."""
        self.made += 1
        return object()


def test_a_part_is_made_once_whoever_asks_at_the_same_time_and_anew_when_it_was_taken_away() -> None:
    house = House()

    def ask(_number: int) -> object:
        house.together.wait(30)
        return house.part

    with ThreadPoolExecutor(4) as pool:
        parts = set(pool.map(ask, range(4)))
    assert (len(parts), house.made) == (1, 1)
    del house.__dict__["part"]
    assert house.part not in parts
    assert (House.part.__doc__, house.made) == ("The part.", 2)


def test_settings_that_several_change_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    with workspace(tmp_path / "data", Overrides(), writing=True) as space:

        def add(number: int) -> None:
            def changed(now: Settings) -> Settings:
                return msgspec.structs.replace(now, modules=(*now.modules, f"/driver-{number}.so"))

            space.change_settings(changed)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(add, range(16)))
        assert sorted(space.settings.modules) == sorted(f"/driver-{number}.so" for number in range(16))


def test_what_a_thread_began_to_read_before_a_change_does_not_stay(tmp_path: Path) -> None:
    with workspace(tmp_path / "data", Overrides(), writing=True) as space:
        over = threading.Event()

        def read() -> None:
            while not over.is_set():
                _ = space.settings

        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        for number in range(40):
            space.change_settings(lambda now, n=number: msgspec.structs.replace(now, modules=(f"/{n}.so",)))  # type: ignore[misc]
            assert space.settings.modules == (f"/{number}.so",)
        over.set()
        for reader in readers:
            reader.join()

"""Where the user's stacks/ are: the checkout, or where an installed package is called."""

from __future__ import annotations

from pathlib import Path

from breakeven.settings import files
from breakeven.settings.files import ROOT, user_folder

INSTALLED = Path(files.__file__).resolve().parents[1] / "project"


def test_in_a_checkout_it_is_the_checkout(tmp_path: Path) -> None:
    assert user_folder(tmp_path, ROOT) == ROOT


def test_of_an_installed_package_it_is_the_nearest_folder_with_a_stack_file(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    (below / "stacks").mkdir(parents=True)
    assert user_folder(below, INSTALLED) == below
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "Pulumi.chat.yaml").touch()
    assert user_folder(below, INSTALLED) == tmp_path
    assert user_folder(tmp_path, INSTALLED) == tmp_path

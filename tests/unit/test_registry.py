"""The registry: a file is a registration; a broken plug-in hurts only who asks for it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from seqdesign.errors import UsageError
from seqdesign.registry import PluginError, PluginWarning, Registry


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Two members and a helper, and a distribution with a good, two broken and a clashing plug-in."""
    package = tmp_path / "shop_pkg"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "ada_lead.py").write_text("def ada_lead():\n    return 'built in'\n")
    (package / "plain.py").write_text("VALUE = 3\n")
    (package / "_helper.py").write_text("raise RuntimeError('helpers are not members')\n")
    (tmp_path / "shop_good.py").write_text("def tool():\n    return 'plug-in'\n")
    (tmp_path / "shop_bad.py").write_text("import a_module_that_is_not_there\n")
    info = tmp_path / "shop_plugins-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shop-plugins\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[seqdesign.shop_pkg]\ngood_one = shop_good:tool\nbad = shop_bad:tool\nlost = shop_good:nothing\n"
        "plain = shop_good:tool\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield Registry("tool", "shop_pkg")
    for name in set(sys.modules) - before:
        if name.startswith("shop_"):
            del sys.modules[name]


CLASH = r"tool plug-in 'plain' \(shop_good:tool\) is ignored: the name belongs to a built-in"


def test_files_and_plugins_are_listed_without_importing_them(shop: Registry) -> None:
    with pytest.warns(PluginWarning, match=CLASH):
        assert shop.names() == ("ada-lead", "bad", "good-one", "lost", "plain")
    assert not {"shop_pkg.ada_lead", "shop_good", "shop_bad"} & set(sys.modules)


@pytest.mark.filterwarnings("ignore::seqdesign.registry.PluginWarning")
def test_a_member_is_the_object_named_as_its_file_or_the_module(shop: Registry) -> None:
    assert shop.load("ada-lead")() == "built in"
    assert shop.load("plain").VALUE == 3
    assert shop.load("good-one")() == "plug-in"
    assert shop.module("ada-lead").__name__ == "shop_pkg.ada_lead"
    assert "ada-lead" in shop
    assert "helper" not in shop


@pytest.mark.filterwarnings("ignore::seqdesign.registry.PluginWarning")
@pytest.mark.parametrize(("name", "reason"), [("bad", "ModuleNotFoundError"), ("lost", "AttributeError")])
def test_a_broken_plugin_is_an_error_when_asked_for(shop: Registry, name: str, reason: str) -> None:
    with pytest.raises(PluginError, match=f"tool plug-in '{name}' .*from shop-plugins.*{reason}"):
        shop.load(name)


@pytest.mark.filterwarnings("ignore:.*is ignored")
def test_a_broken_plugin_is_a_named_warning_otherwise(shop: Registry) -> None:
    with pytest.warns(PluginWarning) as caught:
        members = shop.available()
    assert set(members) == {"ada-lead", "good-one", "plain"}
    assert sorted(str(w.message).split("'")[1] for w in caught if "cannot be loaded" in str(w.message)) == [
        "bad",
        "lost",
    ]


@pytest.mark.filterwarnings("ignore::seqdesign.registry.PluginWarning")
def test_an_unknown_name_lists_all_and_suggests_one(shop: Registry) -> None:
    with pytest.raises(
        UsageError, match="unknown tool 'adalead'; must be one of: ada-lead, .*did you mean 'ada-lead'"
    ):
        shop.load("adalead")

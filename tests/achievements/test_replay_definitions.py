"""A line of definitions.jsonl becomes an import document, whatever real data does."""

from achievements.replay.definitions import points_of, title, to_document

GAME: dict[str, object] = {
    "game": "steam:1",
    "title": "Lantern ",
    "achievements": [
        {
            "key": "a",
            "name": 42,
            "description": " Light it. ",
            "hidden": True,
            "points": -25,
            "icon": "a.jpg",
        },
        {"key": "B", "name": None, "incomplete": True, "max_progress": 1},
        {
            "key": "b",
            "name": "B",
            "points": 5,
            "max_progress": 30,
            "group": "Night",
            "localizations": {"zh_CN": {"name": "灯", "description": " "}},
        },
    ],
}


def test_odd_values_become_values_that_can_be_imported() -> None:
    achievements = to_document(GAME)["achievements"]
    assert isinstance(achievements, list)
    first, second, third = achievements
    assert (first["name"], first["points"], first["hidden"], first["state"]) == ("42", 0, True, "published")
    assert (second["name"], second["points"], second.get("type")) == ("B", 10, None)
    assert (third["type"], third["target"], third["group"]) == ("incremental", 30, "Night")
    assert third["translations"] == {"zh_CN": {"name": "灯"}}


def test_achievements_that_only_occur_in_unlocks_are_added_by_key() -> None:
    document = to_document(GAME, also=["c", "a", "c"])
    assert points_of(document) == {"a": 0, "B": 10, "b": 5, "c": 10}


def test_a_title_is_unique_and_fits() -> None:
    assert title(GAME) == "Lantern (steam:1)"
    assert len(title({"game": "steam:1", "title": "x" * 300})) == 200

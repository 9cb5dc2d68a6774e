"""Small files of our own writing, one or more a format, for tests and as seeds for fuzzing."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

REAL_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
NO_REAL_DATA = "the real data (../shared/data) is not on this machine"

LAUREL = """\ufeff{"achievements": [
  {"key": "first-light", "name": "First light", "description": "See the sun rise.", "points": 10,
   "translations": {"pt_BR": {"name": "Primeira luz"}}},
  {"key": "hundred-doors", "name": "A hundred doors", "points": 50, "type": "incremental", "target": 100},
  {"key": "keeper", "name": "Keeper", "points": 100, "type": "meta",
   "requires": ["first-light", "hundred-doors"],
   "hidden": true, "available_from": "2026-12-01T00:00:00Z", "available_until": "2026-12-31T00:00:00+01:00"}
]}"""

STEAM_SCHEMA = """{"game": {"gameName": "Lantern", "availableGameStats": {"achievements": [
  {"name": "LIT_ONE", "defaultvalue": 0, "displayName": "One lamp", "hidden": 0,
   "description": "Light a lamp.",
   "icon": "https://cdn.example.com/lit.jpg", "icongray": "https://cdn.example.com/unlit.jpg"},
  {"name": "LIT_ALL", "defaultvalue": 0, "displayName": 42, "hidden": 1, "icon": "lit_all.jpg"},
],},}}"""

STEAM_LIST = """\ufeff[
  {"name": "GATE", "hidden": "0",
   "displayName": {"english": "The gate", "koreana": "문", "token": "T_0_NAME"},
   "description": {"english": "Open it, then wait, ] and go.", "schinese": "打开它"},},
]"""

STEAM_VDF = """"480"
{
  "stats"
  {
    "2"
    {
      "type" "4"
      "bits"
      {
        "0"
        {
          "name" "BRIDGE"
          "display"
          {
            "name" "Bridge"
            "desc" "Cross the \\"old\\" bridge."
            "hidden" "1"
            "icon" "bridge.jpg"
          }
        }
        "1"
        {
          "name" "TOWER"
          "display"
          {
            "name"
            {
              "english" "Tower"
              "brazilian" "Torre"
              "token" "NEW_ACHIEVEMENT_2_1_NAME"
            }
            "hidden" "0"
          }
          "progress"
          {
            "min_val" "0"
            "max_val" "30"
          }
        }
      }
    }
  }
}
"""

STEAM_LOCALISATION = """"lang"
{
  "finnish"
  {
    "Tokens"
    {
      "NEW_ACHIEVEMENT_2_1_NAME" "Torni"
    }
  }
}
"""

EOS_DEFINITIONS = """name,hidden,statThresholds,user_epic_achievements_xp
harbour,TRUE,,5
lighthouse,FALSE,KEEPS:3,50
"""
EOS_LOCALISATIONS = (
    "name,locale,lockedTitle,lockedDescription,unlockedTitle,unlockedDescription,flavorText,"
    "lockedIcon,unlockedIcon\n"
    'harbour,default,?,Find it.,Harbour,"Found, at last",,a.png,b.png\n'
    "harbour,es-MX,?,Búscalo.,Puerto,,,a.png,b.png\n"
    "lighthouse,default,,Keep it.,Lighthouse\n"
)

PLAY_METADATA = (
    '"First stone","Lay a stone.",False,,Revealed,5,1\n'  # a standard one
    '"A ""wall""",Lay a hundred.,True,100,HIDDEN,10,2\n'  # an incremental one
)
PLAY_LOCALISATIONS = 'First stone,Erster Stein,"Lege einen Stein.",de-DE\n'

XBOX = """\ufeff<?xml version="1.0" encoding="utf-8"?>
<Achievements2017 xmlns="http://config.mgt.xboxlive.com/schema/achievements2017/1">
  <Achievement>
    <AchievementNameId>N1</AchievementNameId><DisplayOrder>3</DisplayOrder>
    <LockedDescriptionId>L1</LockedDescriptionId><UnlockedDescriptionId>U1</UnlockedDescriptionId>
    <Rewards><Gamerscore>15</Gamerscore></Rewards><IsHidden>true</IsHidden><AchievementId>7</AchievementId>
  </Achievement>
</Achievements2017>"""
XBOX_LOCALISATION = """<Localization xmlns="http://config.mgt.xboxlive.com/schema/localization/1">
  <DevDisplayLocale locale="en-US" />
  <LocalizedString id="N1">
    <Value locale="en-US">Orchard</Value><Value locale="fr-FR">Verger</Value>
  </LocalizedString>
  <LocalizedString id="L1"><Value locale="en-US">Plant &amp; wait</Value></LocalizedString>
</Localization>"""

SEEDS: Mapping[str, tuple[str, ...]] = {
    "laurel": (LAUREL,),
    "steam": (STEAM_SCHEMA, STEAM_LIST),
    "steam-vdf": (STEAM_VDF, STEAM_LOCALISATION),
    "eos": (EOS_DEFINITIONS, EOS_LOCALISATIONS),
    "google-play": (PLAY_METADATA,),
    "xbox": (XBOX, XBOX_LOCALISATION),
}


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    """Return a zip of the files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()

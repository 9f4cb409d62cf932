//! Versions of templates: what a version once was, it stays.

use crate::world::World;
use zhida_core::notice::template::{KnownProviders, Replacing, TemplateSet};

/// A proof names the version of its templates: it is one content for ever.
pub(crate) async fn a_version_of_templates_is_used_for_one_content(world: World) {
    let import = async |version: &str, locale: &str| {
        let file = format!(
            "version = \"{version}\"\n\n[[template]]\nkind = \"test\"\nchannel = \"sms\"\nlocale = \"{locale}\"\n\
             providers.one.code = \"SMS_1\"\n"
        );
        let seen = world.store.templates().await.unwrap();
        let set = seen.changed(&file, &KnownProviders::Any).unwrap();
        (world.other.import_templates(&set, &seen, "R-1").await.unwrap(), set)
    };
    let (first, set) = import("2026.12-1", "zh-CN").await;
    assert_eq!((first, import("2026.12-2", "en").await.0), (Replacing::Imported, Replacing::Imported));
    let in_force = world.store.templates().await.unwrap();
    for version in ["2026.12-1", "2026.12-2", &TemplateSet::embedded().version] {
        let file = format!(
            "version = \"{version}\"\n\n[[template]]\nkind = \"test\"\nchannel = \"sms\"\nlocale = \"en\"\n\
             providers.one.code = \"SMS_9\"\n"
        );
        let other = in_force.changed(&file, &KnownProviders::Any).unwrap();
        let told = world.store.import_templates(&other, &in_force, "R-1").await.unwrap();
        assert_eq!(told, Replacing::VersionUsed, "{version}");
    }
    assert_eq!(world.store.templates().await.unwrap(), in_force);
    let back = world.store.import_templates(&set, &in_force, "R-1").await.unwrap();
    assert_eq!(back, Replacing::Imported, "the way back to the same content is open");
}

//! The real binary, built if it is not, for tests that run it as its users do.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// Where the binary under test is.
pub fn zhida() -> &'static PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        let built = Command::new(cargo).args(["build", "--quiet", "--package", "zhida"]).current_dir(root).status();
        assert!(built.unwrap().success(), "the binary does not build");
        let test = std::env::current_exe().unwrap();
        // …/target/debug/deps/<test> → …/target/debug/zhida
        test.parent().unwrap().parent().unwrap().join("zhida")
    })
}

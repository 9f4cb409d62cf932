//! Makes the sample district's files anew: `cargo run -p zhida-config --example sample_district`. The same every time; the
//! product reads the files, never this program.

mod cases;
mod check_digits;
mod make;
mod month;
mod ordinary;
mod organisation;
mod words;

fn main() -> std::io::Result<()> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/sample_district");
    std::fs::create_dir_all(folder)?;
    std::fs::write(format!("{folder}/policies.toml"), make::policies_toml())?;
    std::fs::write(format!("{folder}/awards.csv"), make::awards_csv())?;
    std::fs::write(format!("{folder}/organisation.toml"), organisation::organisation_toml())?;
    let (reviews, truth) = month::files();
    std::fs::write(format!("{folder}/reviews.csv"), reviews)?;
    std::fs::write(format!("{folder}/truth.csv"), truth)?;
    println!("wrote {folder}/policies.toml, awards.csv, organisation.toml, reviews.csv and truth.csv");
    Ok(())
}

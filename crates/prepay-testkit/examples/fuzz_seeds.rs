//! Writes the seeds of the fuzz targets to `fuzz/corpus`, where the fuzzer begins: run it once before a first run.
//!
//! ```text
//! cargo run -p prepay-testkit --example fuzz_seeds
//! ```

use std::{fs, io};

fn main() -> io::Result<()> {
    for target in prepay_testkit::fuzz::TARGETS {
        let folder = format!("{}/../../fuzz/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
        fs::create_dir_all(&folder)?;
        let seeds = prepay_testkit::fuzz::seeds(target);
        for (number, seed) in seeds.iter().enumerate() {
            fs::write(format!("{folder}/seed-{number}"), seed)?;
        }
        println!("{:>6} seeds  fuzz/corpus/{target}", seeds.len());
    }
    Ok(())
}

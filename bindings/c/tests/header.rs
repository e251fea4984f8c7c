//! The committed header is the one that the sources make.
//!
//! To write it anew: `PREPAY_UPDATE_HEADER=1 cargo test -p prepay-meter-c --test header`.

use std::path::Path;
use std::{env, fs};

use cbindgen::{Builder, Config, DocumentationStyle, Language, RenameRule, Style};

/// The sources with something for C, in the order of the header.
const SOURCES: &[&str] = &[
    "status", "memory", "storage", "maker", "profile", "outcome", "state", "life", "token",
    "service",
];

const OPENING: &str = "\
/*
 * Prepay: the meter side of STS (IEC 62055-41) for firmware in C. C99 or C++.
 *
 * Made by cbindgen from bindings/c/src; do not edit. How to use it: docs/guides/meter-in-firmware.md.
 *
 * Nothing is allocated: a meter lives in a prepay_meter, its state in two slots of a prepay_storage. One
 * meter belongs to one thread or interrupt at a time. Every pointer must be valid for what its type says;
 * null and misaligned ones are answered, others cannot be found out.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */";

const CLOSING: &str = "\
#ifdef __cplusplus
extern \"C\" {
#endif
/**
 * Brought by firmware on bare metal, for a library built with the feature panic-handler. Called when the
 * library finds a fault in itself; it must not return, and a reset is the right answer.
 */
void prepay_meter_panicked(void);
#ifdef __cplusplus
}
#endif
";

/// `PrepayMeter` is `prepay_meter` in C.
fn c_name(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

fn config() -> Config {
    const TYPES: &[&str] = &[
        "PrepayStatus",
        "PrepayMeter",
        "PrepayStorage",
        "PrepayMaker",
        "PrepayLockout",
        "PrepayTrip",
        "PrepayLevel",
        "PrepayProfile",
        "PrepayBirth",
        "PrepayResult",
        "PrepayEffect",
        "PrepayOutcome",
        "PrepaySwitch",
        "PrepayWarning",
        "PrepayState",
        "PrepayServiceState",
        "PrepayLoad",
    ];
    let mut config = Config {
        language: Language::C,
        cpp_compat: true,
        header: Some(OPENING.into()),
        trailer: Some(CLOSING.into()),
        include_guard: Some("PREPAY_METER_H".into()),
        style: Style::Both,
        usize_is_size_t: true,
        documentation_style: DocumentationStyle::C99,
        ..Config::default()
    };
    config.no_includes = true;
    config.sys_includes = vec!["stddef.h".into(), "stdint.h".into()];
    config.enumeration.rename_variants = RenameRule::QualifiedScreamingSnakeCase;
    config.export.rename = TYPES.iter().map(|name| (name.to_string(), c_name(name))).collect();
    config
}

fn made(folder: &Path) -> String {
    let mut builder = Builder::new().with_config(config());
    for source in SOURCES {
        builder = builder.with_src(folder.join("src").join(source).with_extension("rs"));
    }
    let mut header = Vec::new();
    builder.generate().expect("the sources are readable").write(&mut header);
    String::from_utf8(header).expect("the sources are UTF-8")
}

#[test]
fn the_header_is_the_one_of_the_sources() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = folder.join("include/prepay_meter.h");
    let made = made(folder);
    if env::var_os("PREPAY_UPDATE_HEADER").is_some_and(|value| value == "1") {
        fs::write(&path, &made).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap();
    assert!(committed == made, "the header is outdated: run with PREPAY_UPDATE_HEADER=1");
}
